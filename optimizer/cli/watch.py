"""``rentopt watch``: plan again on the newest prices, and tell what changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.decision_options import gap_share
from optimizer.cli.price_options import AsOf, Quotes, StoreUrl
from optimizer.cli.progress import interruptible, told

if TYPE_CHECKING:
    from optimizer.milp.solve import SolveOptions
    from optimizer.plans import Plan
    from optimizer.schedule.schedule import Schedule
    from optimizer.watch import Event, Summary
    from providers.config import Config
    from providers.store import PriceStore

FLIPPED_EXIT = 9


class WatchFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


@dataclass(slots=True)
class Watched:
    """One schedule, what became of it, and the plan to remember."""

    name: str
    summary: Summary | None = None
    events: list[Event] = field(default_factory=list)
    first: bool = False
    """Nothing was known to compare with."""
    flipped: bool = False
    fault: str = ""
    exit_code: int = 0
    made: Plan | None = None


def watch(
    schedule: Annotated[list[Path], typer.Argument(help="Schedules to plan again (YAML).")],
    quotes: Quotes = None,
    as_of: AsOf = None,
    gap: Annotated[
        float, typer.Option(parser=gap_share, metavar="PERCENT", help="Gap to solve to.")
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds for each of all rent, all own, best mix.")
    ] = 60.0,
    history: Annotated[
        bool, typer.Option("--history", help="Show the decisions kept so far; plan nothing.")
    ] = False,
    format: Annotated[WatchFormat, typer.Option("--format", help="Form of the output.")] = (
        WatchFormat.TEXT
    ),
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say each step on standard error.")
    ] = False,
    store: StoreUrl = None,
) -> None:
    """Plan schedules on the newest prices and report what changed since the last time.

    Exit codes: 0 no decision changed; 3 a schedule has no plan any more; 9 a decision flipped.
    """
    from optimizer.cli.prices.store import opened
    from optimizer.milp.solve import SolveOptions
    from optimizer.schedule.load import load_schedule
    from providers.config import load_config
    from providers.errors import RentoptError

    config = load_config(store=store)
    schedules = [load_schedule(path) for path in schedule]
    names = Counter(asked.document.name or Path(asked.source).stem for asked in schedules)
    for name, count in names.items():
        if count > 1:
            raise RentoptError(f"two schedules are called '{name}'; give each a name of its own")
    with opened(config) as prices:
        if history:
            _print_history(prices, list(names), format)
            return
        options = SolveOptions(gap=gap, time_limit_s=time_limit)
        with told(verbose) as tell:
            rows = [
                _judged(name, partial(_plan, asked, config, as_of, quotes, options, tell), prices)
                for name, asked in zip(names, schedules, strict=True)
            ]
        _print(rows, format)
        # Told before it is remembered: what is cut short between the two is told again.
        _tell(rows, config)
        for row in rows:
            _remember(row, prices)
    raise typer.Exit(max((row.exit_code for row in rows), default=0))


def _plan(
    schedule: Schedule,
    config: Config,
    as_of: datetime | None,
    quotes: list[Path] | None,
    options: SolveOptions,
    tell: Callable[[str], None],
) -> Plan:
    from optimizer.api import plan, prices_for

    book = prices_for(
        schedule, as_of.date() if as_of else None, quotes or [], store=config.store_url
    )
    # Closed-form points only: those of the whole plan depend on how much time there is.
    return plan(schedule, book, options, breakeven_s=0.0, progress=tell)


def _judged(name: str, make: Callable[[], Plan], prices: PriceStore) -> Watched:
    """The plan made again, compared with the last one remembered."""
    from optimizer.errors import NoPlanError
    from optimizer.watch import Summary, compare, flipped, summarise

    try:
        made = interruptible(make)
    except NoPlanError as error:
        return Watched(name, fault=str(error), exit_code=error.exit_code)
    summary = summarise(made)
    row = Watched(name, summary, made=made)
    known = prices.decisions(name)
    if not known:
        row.first = True
        return row
    last = max(known, key=lambda decision: decision.made_at)
    row.events = compare(Summary.from_json(last.summary), summary)
    row.flipped = flipped(row.events)
    row.exit_code = FLIPPED_EXIT if row.flipped else 0
    return row


def _remember(row: Watched, prices: PriceStore) -> None:
    from providers.store import Decision

    if row.summary is None or row.made is None:
        return
    decision = Decision(
        schedule=row.name,
        schedule_sha256=row.summary.schedule_sha256,
        made_at=datetime.now(UTC),
        as_of=datetime.combine(row.made.as_of, time(), UTC),
        run_ids=tuple(s.run_id for s in row.made.price_sources if s.run_id is not None),
        currency=row.summary.currency,
        total=row.made.npv,
        summary=row.summary.to_json(),
    )
    prices.record_decision(decision)


def _print(rows: list[Watched], format: WatchFormat) -> None:
    if format is WatchFormat.JSON:
        body = [_as_json(row) for row in rows]
        typer.echo(json.dumps(body, indent=1, ensure_ascii=False, default=str))
        return
    for row in rows:
        if row.summary is None:
            typer.echo(f"{row.name}: no plan exists any more: {row.fault}")
            continue
        cost = f"{row.summary.npv:,.2f} {row.summary.currency} as of {row.summary.as_of}"
        state = (
            "first plan, remembered"
            if row.first
            else "the decision flipped"
            if row.flipped
            else "changed"
            if row.events
            else "nothing changed"
        )
        typer.echo(f"{row.name}: {state}; {cost}")
        for event in row.events:
            typer.echo(f"  {event.text}")


def _as_json(row: Watched) -> dict[str, Any]:
    return {
        "schedule": row.name,
        "flipped": row.flipped,
        "first": row.first,
        "fault": row.fault,
        "events": [asdict(event) for event in row.events],
        "plan": asdict(row.summary) if row.summary else None,
    }


def _print_history(prices: PriceStore, names: list[str], format: WatchFormat) -> None:
    from optimizer.watch import Summary, bought

    rows = [
        {
            "schedule": decision.schedule,
            "made_at": decision.made_at.isoformat(timespec="seconds"),
            "as_of": f"{decision.as_of:%Y-%m-%d}",
            "npv": f"{decision.total:.2f}",
            "currency": decision.currency,
            "buy": bought(Summary.from_json(decision.summary)),
        }
        for name in names
        for decision in prices.decisions(name)
    ]
    if format is WatchFormat.JSON:
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    from optimizer.report.tables import Column, render

    titles = ["schedule", "made_at", "as_of", "npv", "currency", "buy"]
    columns = [Column(title, right=title == "npv") for title in titles]
    typer.echo(render(columns, [[row[title] for title in titles] for row in rows]), nl=False)


def _tell(rows: list[Watched], config: Config) -> None:
    from providers.notify import notify

    for row in rows:
        if not (row.flipped or row.fault):
            continue
        words = [event.text for event in row.events] or [f"no plan exists any more: {row.fault}"]
        body = {"text": f"rentopt watch: {row.name}: {'; '.join(words)}", **_as_json(row)}
        for problem in notify("decision", json.loads(json.dumps(body, default=str)), config.notify):
            typer.echo(f"rentopt: {problem}", err=True)
