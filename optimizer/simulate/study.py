"""All ways of deciding, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from optimizer.errors import NoPlanError
from optimizer.milp.anytime import Stopped
from optimizer.milp.solve import SolveOptions
from optimizer.schedule.schedule import Schedule
from optimizer.simulate.history import History
from optimizer.simulate.rules import purchase_rows, spot_row, term_rows
from optimizer.simulate.run import (
    FORESIGHT,
    Followed,
    Row,
    bought_at_start,
    follow,
    foresight_row,
    on_demand,
)

NOT_FOLLOWED = "not followed to the end: stopped early"
TOOL = "rentopt, planned again"
ON_DEMAND = "always on demand"
AT_START = "bought at the start"


@dataclass(frozen=True, slots=True)
class Study:
    """What each way would have cost on the same prices."""

    name: str
    currency: str
    first_day: date
    last_day: date
    every: int
    """Days between two plans."""
    seed: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    stopped_early: bool = False
    """Ended from outside before all ways were followed."""

    @property
    def least(self) -> Row | None:
        """Perfect foresight, if its plan was found."""
        return next((row for row in self.rows if row.bound is not None), None)


def simulate(
    schedule: Schedule,
    history: History,
    every: int = 7,
    options: SolveOptions | None = None,
    *,
    seed: int = 1,
    notes: tuple[str, ...] = (),
    progress: Callable[[str], None] = lambda step: None,
) -> Study:
    """
    Args:
        schedule: moved so that its first day is the history's.
        every: days a plan is followed before the rest is planned again.
        seed: of drawn thresholds and of the interruptions of spot capacity.
    """
    # A way that is followed for a part of the days says nothing.
    options = (options or SolveOptions()).for_questions()
    rows: list[Row] = []
    found: dict[str, Followed] = {}

    def tried(name: str, make: Callable[[], Row]) -> None:
        progress(name)
        try:
            if options.stopped:
                raise Stopped
            rows.append(make())
        except NoPlanError as error:
            rows.append(Row(name, None, None, note=str(error)))
        except Stopped:
            rows.append(Row(name, None, None, note=NOT_FOLLOWED))

    def followed(name: str, make: Callable[[], Followed], note: str) -> None:
        def row() -> Row:
            found[name] = make()
            return found[name].row(name, note)

        tried(name, row)

    def of(name: str) -> Callable[[str], None]:
        return lambda step: progress(f"{name}: {step}")

    followed(
        TOOL,
        lambda: follow(schedule, history, every, options, progress=of(TOOL)),
        f"every {every} days, on the prices of that day",
    )
    tried(FORESIGHT, lambda: foresight_row(schedule, history, options))
    followed(
        ON_DEMAND,
        lambda: follow(schedule, history, every, options, narrow=on_demand, progress=of(ON_DEMAND)),
        f"the cheapest by the hour, chosen again every {every} days",
    )
    followed(
        AT_START,
        lambda: bought_at_start(schedule, history, options),
        "all that can be owned, kept to the end; the rest on demand",
    )
    rented = found.get(ON_DEMAND)
    if rented is not None:
        progress("rules for the undecided")
        rows += term_rows(rented, history, seed)
        rows += purchase_rows(rented, seed)
        on_spot = spot_row(rented, history, seed)
        rows += [on_spot] if on_spot is not None else []
    return Study(
        schedule.document.name or schedule.source,
        schedule.currency,
        schedule.first_day,
        schedule.last_day,
        every,
        seed,
        tuple(rows),
        (*history.notes(), *notes),
        options.stopped,
    )
