"""``rentopt simulate``: what following the plans would have cost on the prices of the past."""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.decision_options import gap_share
from optimizer.cli.plan import check_writable, deliver
from optimizer.cli.price_options import NO_STORE, PlanStore, Quotes
from optimizer.cli.progress import best_so_far, told

if TYPE_CHECKING:
    from optimizer.schedule.schedule import Schedule
    from optimizer.simulate.history import History
    from providers.offers import OfferBook


class SimulationFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


def days_count(text: str) -> int:
    """``7d`` or ``7`` as 7."""
    found = re.fullmatch(r"\s*([0-9]{1,4})\s*(d|days?)?\s*", text)
    if not found or int(found[1]) < 1:
        raise typer.BadParameter(f"'{text}' is no number of days; write it like 7d")
    return int(found[1])


def simulate(
    schedule: Annotated[Path, typer.Argument(help="What to run; it is moved to the days asked.")],
    first: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the prices, and of it."),
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included.")
    ],
    every: Annotated[
        int,
        typer.Option(parser=days_count, metavar="DAYS", help="A new plan for the rest every 7d."),
    ] = "7d",  # type: ignore[assignment]  # the parser turns it into the number
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            exists=True,
            dir_okay=False,
            help="Prices as a CSV with the columns of a price table; a row holds from observed_at.",
            show_default="the price store",
        ),
    ] = None,
    store: PlanStore = None,
    quotes: Quotes = None,
    gap: Annotated[
        float,
        typer.Option(parser=gap_share, metavar="PERCENT", help="Gap of each plan."),
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds for each problem that is solved.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="Of what is drawn; the same gives the same.")] = 1,
    format: Annotated[SimulationFormat, typer.Option("--format", help="Form of the output.")] = (
        SimulationFormat.TABLE
    ),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say each step on standard error.")
    ] = False,
) -> None:
    """Compare following the tool over past prices with foresight, renting, buying and rules."""
    check_writable(output)
    from optimizer.milp.solve import SolveOptions
    from optimizer.report.simulation import simulation_text
    from optimizer.report.simulation_document import simulation_json
    from optimizer.report.tables import TableFormat
    from optimizer.schedule.load import load_schedule
    from optimizer.simulate.study import simulate as compare
    from optimizer.simulate.window import moved

    if last < first:
        raise typer.BadParameter("the last day is before the first", param_hint="--to")
    asked = moved(load_schedule(schedule), first.date(), last.date())
    with told(verbose, asked.schedule.currency) as tell:
        options = SolveOptions(gap=gap, time_limit_s=time_limit, watch=tell.watch)
        tell("reading the prices of every day")
        prices = _history(asked.schedule, history, store, quotes or [])
        study, ended = best_so_far(
            lambda: compare(
                asked.schedule, prices, every, options, seed=seed, notes=asked.notes, progress=tell
            ),
            tell,
            "what was followed to the end",
        )
    if format is SimulationFormat.JSON:
        text = simulation_json(study)
    else:
        text = simulation_text(study, TableFormat(format.value))
    deliver(text, output)
    if ended:
        raise typer.Exit(ended)


def _history(
    schedule: Schedule, history: Path | None, store: str | None, quotes: list[Path]
) -> History:
    from optimizer.api import prices_for
    from optimizer.simulate.history import recorded_history, stored_history

    first, last = schedule.first_day, schedule.last_day
    if history is not None:
        frame = prices_for(schedule, first, store="")
        return recorded_history(history, first, last, schedule.currency, frame)

    url = "" if store == NO_STORE else store

    def book_of(day: date) -> OfferBook:
        return prices_for(schedule, day, quotes, store=url)

    return stored_history(first, last, schedule.currency, book_of)
