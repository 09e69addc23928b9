"""``rentopt verify``: does a plan hold against its schedule and the prices?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.price_options import (
    Measurements,
    OldQuotes,
    PlanStore,
    Quotes,
    price_book,
    store_behind,
)

if TYPE_CHECKING:
    from optimizer.schedule.schedule import Schedule
    from optimizer.verify import Verdict
    from providers.offers import OfferBook


class VerdictFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def verify(
    plan: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Plan to check (JSON).")
    ],
    schedule: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Schedule it was made for (YAML).")
    ],
    followed: Annotated[
        Path | None,
        typer.Option(
            "--followed",
            exists=True,
            dir_okay=False,
            help="Plan that was made again (JSON): check what it left, too.",
        ),
    ] = None,
    actuals: Annotated[
        Path | None, typer.Option("--actuals", help="What it was made again with (YAML).")
    ] = None,
    scenarios: Annotated[
        Path | None,
        typer.Option(
            "--scenarios", help="Scenarios one of which it was made for (YAML), with --scenario."
        ),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="NAME", help="Which of the scenarios.")
    ] = None,
    quotes: Quotes = None,
    old_quotes: OldQuotes = None,
    measurements: Measurements = None,
    store: PlanStore = None,
    format: Annotated[
        VerdictFormat, typer.Option("--format", help="text for people, json for programs.")
    ] = VerdictFormat.TEXT,
) -> None:
    """Check a plan against its schedule and the prices. Exit code 7 if it does not hold."""
    from optimizer.errors import VerifyError
    from optimizer.schedule.load import load_schedule
    from optimizer.verify import examine
    from optimizer.verify.plan_document import read_plan, read_plan_file

    if (scenarios is None) != (scenario is None):
        raise typer.BadParameter("go together", param_hint="--scenarios, --scenario")
    body = read_plan_file(plan)
    read_plan(body)
    loaded = load_schedule(schedule, measurements)
    book = price_book(loaded, None, quotes, ("of", str(plan)), store)
    if scenarios is None or scenario is None:
        verdict = examine(body, loaded, book)
    else:
        from optimizer.uncertainty.load import load_scenarios

        listed = load_scenarios(scenarios)
        past = listed.past(book, store_behind(book, store))
        outlook = listed.outlook(scenario, loaded, book, past)
        verdict = examine(body, loaded, book, outlook.realised)
    if followed is not None:
        old_book = price_book(loaded, None, old_quotes or quotes, ("of", str(followed)), store)
        left = _left_behind(body, loaded, followed, old_book, actuals)
        verdict = replace(verdict, faults=(*verdict.faults, *left))
    if format is VerdictFormat.JSON:
        typer.echo(json.dumps(_as_json(verdict), indent=1, ensure_ascii=False))
    elif not verdict.faults:
        typer.echo(f"holds: {verdict.n_checks:,} checks")
        for what, count in verdict.checks:
            if count:
                typer.echo(f"{count:>9,}  {what}")
    if verdict.faults:
        count = len(verdict.faults)
        lines = "\n".join(verdict.faults) if format is VerdictFormat.TEXT else ""
        title = f"{plan} does not hold: {count} fault{'s' if count > 1 else ''}"
        raise VerifyError(f"{title}\n{lines}" if lines else title)


def _left_behind(
    body: dict[str, Any], schedule: Schedule, path: Path, book: OfferBook, actuals: Path | None
) -> list[str]:
    """Faults of the state that a plan made again starts from."""
    from optimizer.replan.actuals import load_actuals
    from optimizer.replan.run import followed, standing_faults
    from optimizer.verify.plan_document import read_plan, read_plan_file

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    old = followed(read_plan_file(path), digest, schedule, book)
    news = load_actuals(actuals) if actuals else None
    return standing_faults(schedule, old, read_plan(body), news)


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "holds": not verdict.faults,
        "checks": dict(verdict.checks),
        "faults": list(verdict.faults),
    }
