"""``rentopt replan``: part of the schedule has happened, plan the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.decision_options import gap_share
from optimizer.cli.plan import (
    SOLVERS,
    CsvTable,
    PlanFormat,
    Solver,
    check_writable,
    deliver,
    terminal,
)
from optimizer.cli.price_options import (
    ANY_PRICES,
    Measurements,
    OldQuotes,
    PlanStore,
    Prices,
    Quotes,
    price_book,
)
from optimizer.cli.progress import best_so_far, told

if TYPE_CHECKING:
    from optimizer.plans import Plan
    from optimizer.report.plan_sections import Steps


def replan(
    plan: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Plan that was followed (JSON).")
    ],
    schedule: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Schedule it was made for (YAML).")
    ],
    today: Annotated[
        datetime,
        typer.Option(
            "--today", formats=["%Y-%m-%d"], help="First day that is still to be decided."
        ),
    ],
    actuals: Annotated[
        Path | None,
        typer.Option(
            "--actuals",
            help="What went otherwise than planned (YAML): progress, load, lost nodes, deadlines.",
            show_default="everything went as planned",
        ),
    ] = None,
    format: Annotated[PlanFormat, typer.Option("--format", help="Form of the output.")] = (
        PlanFormat.TABLE
    ),
    csv_table: Annotated[
        CsvTable, typer.Option(help="What --format csv writes.")
    ] = CsvTable.CALENDAR,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
    why: Annotated[
        bool, typer.Option("--why", help="Add what was ruled out, and the reasons.")
    ] = False,
    details: Annotated[
        bool, typer.Option("--details", help="Every rental on its own line.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Day the prices of the rest are wanted for.",
            show_default="the day of --today",
        ),
    ] = None,
    prices: Prices = ANY_PRICES,
    quotes: Quotes = None,
    old_quotes: OldQuotes = None,
    measurements: Measurements = None,
    store: PlanStore = None,
    gap: Annotated[
        float,
        typer.Option(
            parser=gap_share,
            metavar="PERCENT",
            help="Stop when the rest is proven to be so close to its least cost.",
        ),
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds for each problem that is solved.")
    ] = 60.0,
    solver: Annotated[Solver, typer.Option(help="What solves the model.")] = Solver.HIGHS,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say each step on standard error.")
    ] = False,
) -> None:
    """Plan the rest of a schedule: what is paid is sunk, what is done is done."""
    check_writable(output)
    from optimizer.milp.solve import SolveOptions
    from optimizer.replan.actuals import load_actuals
    from optimizer.replan.run import followed
    from optimizer.replan.run import replan as plan_again
    from optimizer.schedule.load import load_schedule
    from optimizer.verify.plan_document import read_plan_file

    body = read_plan_file(plan)
    asked = load_schedule(schedule, measurements)
    news = load_actuals(actuals) if actuals else None
    old_book = price_book(asked, None, old_quotes or quotes, ("of", str(plan)), store)
    day = None if prices != ANY_PRICES else as_of or today
    if prices != ANY_PRICES and as_of is not None:
        raise typer.BadParameter("give --as-of or --prices, not both", param_hint="--prices")
    book = price_book(asked, day, quotes, prices, store)
    digest = hashlib.sha256(plan.read_bytes()).hexdigest()
    with told(verbose, asked.currency) as tell:
        options = SolveOptions(gap, time_limit, SOLVERS[solver], watch=tell.watch)
        tell("checking the plan that was followed")
        old = followed(body, digest, asked, old_book)
        found, ended = best_so_far(
            lambda: plan_again(asked, old, today.date(), book, news, options, progress=tell),
            tell,
        )
    given = {
        "--actuals": [actuals], "--quotes": quotes, "--old-quotes": old_quotes,
        "--measurements": [measurements], "--store": [store],
    }  # fmt: skip
    steps = _next_steps(plan, schedule, f"{today:%Y-%m-%d}", given)
    text = _rendered(found, format, csv_table, output, steps, why=why, details=details)
    deliver(text, output)
    if ended:
        raise typer.Exit(ended)


def _next_steps(
    plan: Path, schedule: Path, today: str, given: Mapping[str, Sequence[object] | None]
) -> Steps:
    """The new plan has a file of its own: the one that was followed is still needed to check it.

    Args:
        given: options that both commands take, with their values.
    """
    import shlex

    values = [(name, x) for name, those in given.items() for x in those or () if x is not None]
    options = "".join(f" {name} {shlex.quote(str(value))}" for name, value in values)
    old, asked = shlex.quote(str(plan)), shlex.quote(str(schedule))
    new = "again.json" if plan.name != "again.json" else "and-again.json"
    return [
        (
            f"rentopt replan {old} {asked} --today {today}{options} --format json -o {new}",
            "all of it, for programs and to plan again later",
        ),
        (
            f"rentopt verify {new} {asked} --followed {old}{options}",
            "add the bill up again from the prices alone",
        ),
    ]


def _rendered(
    found: Plan,
    format: PlanFormat,
    csv_table: CsvTable,
    output: Path,
    steps: Steps,
    *,
    why: bool,
    details: bool,
) -> str:
    if format is PlanFormat.JSON:
        from optimizer.report.plan_json import plan_to_json

        return plan_to_json(found)
    if format is PlanFormat.CSV:
        from optimizer.report.plan_csv import plan_csv
        from optimizer.report.replan_text import only_new

        return plan_csv(only_new(found), csv_table.value)
    if format is PlanFormat.MD:
        from optimizer.report.replan_text import replan_md

        return replan_md(found, why=why, details=details)
    from optimizer.report.replan_text import replan_text

    width, color = terminal() if str(output) == "-" else (None, False)
    return replan_text(found, why=why, details=details, steps=steps, width=width, color=color)
