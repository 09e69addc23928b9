"""``rentopt plan``: the cheapest way to run a schedule, proven."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.decision_options import (
    Alternatives,
    KeepPlan,
    KeepTolerance,
    MarginalPrices,
    MaxProviders,
    OnlyOwn,
    OnlyRent,
    QuestionTime,
    WhyNotNames,
    Without,
    asked_keep,
    asked_wishes,
    gap_share,
)
from optimizer.cli.price_options import (
    ANY_PRICES,
    AsOf,
    Measurements,
    PlanStore,
    Prices,
    Quotes,
    price_book,
)
from optimizer.cli.progress import best_so_far, told

if TYPE_CHECKING:
    from optimizer.plans import Plan

STALE_DAYS = 90
"""With --strict, a used price older than this fails."""

STALE_EXIT = 4
GAP_EXIT = 8


class PlanFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class CsvTable(StrEnum):
    CALENDAR = "calendar"
    RENTALS = "rentals"
    LEDGER = "ledger"
    CASH_FLOW = "cash-flow"
    SIZES = "sizes"


class Solver(StrEnum):
    HIGHS = "highs"
    SCIP = "scip"
    CP_SAT = "cp-sat"


SOLVERS = {Solver.HIGHS: "HIGHS", Solver.SCIP: "GSCIP", Solver.CP_SAT: "CP_SAT"}


def plan(
    schedule: Annotated[Path, typer.Argument(help="What to run, and when (YAML).")],
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
    without: Without = None,
    only_rent: OnlyRent = False,
    only_own: OnlyOwn = False,
    max_providers: MaxProviders = None,
    keep: KeepPlan = None,
    keep_tolerance: KeepTolerance = "1%",  # type: ignore[assignment]  # as --gap
    alternatives: Alternatives = 0,
    why_not: WhyNotNames = None,
    marginal: MarginalPrices = False,
    question_time: QuestionTime = 120.0,
    as_of: AsOf = None,
    prices: Prices = ANY_PRICES,
    quotes: Quotes = None,
    measurements: Measurements = None,
    store: PlanStore = None,
    gap: Annotated[
        float,
        typer.Option(
            parser=gap_share,
            metavar="PERCENT",
            help="Stop when the plan is proven to be so close to the least cost.",
        ),
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds for each of all rent, all own, best mix.")
    ] = 60.0,
    solver: Annotated[Solver, typer.Option(help="What solves the model.")] = Solver.HIGHS,
    no_breakeven: Annotated[
        bool, typer.Option("--no-breakeven", help="Leave the break-even points out.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help=f"Exit with {STALE_EXIT} if a price used is older than {STALE_DAYS} days, "
            f"with {GAP_EXIT} if --gap was not reached.",
        ),
    ] = False,
    timings: Annotated[
        bool, typer.Option("--timings", help="Say how long each step took.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say each step on standard error.")
    ] = False,
) -> None:
    """Find the cheapest rentals and purchases for a schedule, and prove how good they are."""
    check_writable(output)
    from optimizer import load_schedule
    from optimizer import plan as find_plan
    from optimizer.milp.solve import SolveOptions
    from optimizer.questions import Questions

    asked = load_schedule(schedule, measurements)
    wishes = asked_wishes(without, only_rent, only_own, max_providers)
    kept = asked_keep(keep, keep_tolerance)
    book = price_book(asked, as_of, quotes, prices, store)
    with told(verbose, asked.currency) as tell:
        options = SolveOptions(gap, time_limit, SOLVERS[solver], watch=tell.watch)
        # What is found within a time may differ between two runs; `rentopt breakeven` tells it.
        seconds = None if no_breakeven else 0.0
        found, ended = best_so_far(
            lambda: find_plan(
                asked,
                book,
                options,
                breakeven_s=seconds,
                wishes=wishes,
                keep=kept,
                questions=Questions(alternatives, tuple(why_not or ()), marginal, question_time),
                progress=tell,
            ),
            tell,
        )
    text = _rendered(
        found,
        format,
        csv_table,
        output,
        path=str(schedule),
        why=why,
        details=details,
        timings=timings,
    )
    deliver(text, output)
    if timings and format is not PlanFormat.JSON:
        steps = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in found.timings_s)
        typer.echo(f"rentopt: {steps}", err=True)
    if ended:
        raise typer.Exit(ended)
    if strict:
        _judge(found, gap)


def _rendered(
    found: Plan,
    format: PlanFormat,
    csv_table: CsvTable,
    output: Path,
    *,
    path: str,
    why: bool,
    details: bool,
    timings: bool,
) -> str:
    if format is PlanFormat.JSON:
        from optimizer.report.plan_json import plan_to_json

        return plan_to_json(found, timings=timings)
    if format is PlanFormat.CSV:
        from optimizer.report.plan_csv import plan_csv

        return plan_csv(found, csv_table.value)
    if format is PlanFormat.MD:
        from optimizer.report.plan_md import plan_md

        return plan_md(found, why=why, details=details)
    from optimizer.report.plan_table import plan_text

    width, color = terminal() if str(output) == "-" else (None, False)
    return plan_text(found, why=why, details=details, path=path, width=width, color=color)


def terminal() -> tuple[int | None, bool]:
    """Width and whether to use bold; no width where the output goes to no terminal."""
    import os
    import shutil

    if not sys.stdout.isatty():
        return None, False
    return shutil.get_terminal_size().columns, not os.environ.get("NO_COLOR")


def _judge(found: Plan, gap: float) -> None:
    """Exit with the code of the first thing --strict does not let pass."""
    stale = sorted({(r.offer, r.age_days) for r in found.rentals if r.age_days > STALE_DAYS})
    for offer, age in stale:
        typer.echo(f"rentopt: the price of {offer} is {age} days old (--strict)", err=True)
    wide = found.gap > gap * (1 + 1e-9) + 1e-9
    if wide:
        typer.echo(
            f"rentopt: the gap is {found.gap:.2%}, and {gap:.2%} was asked for; "
            "allow more (--time-limit)",
            err=True,
        )
    if stale or wide:
        raise typer.Exit(STALE_EXIT if stale else GAP_EXIT)


def check_writable(output: Path) -> None:
    """Refuse a place where nothing can be written before the work, not after it."""
    from providers.errors import RentoptError

    if str(output) == "-":
        return
    if output.is_dir():
        raise RentoptError(f"{output} is a folder; name a file in it")
    if not output.parent.is_dir():
        raise RentoptError(f"{output} cannot be written: there is no folder {output.parent}")


def deliver(text: str | bytes, output: Path) -> None:
    """To standard output, or to a file that is there whole or not at all."""
    from optimizer.report.files import write_atomically
    from providers.errors import RentoptError

    if str(output) == "-":
        typer.echo(text, nl=False)
        return
    try:
        write_atomically(output, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RentoptError(f"{output} cannot be written: {reason}") from None
    typer.echo(f"wrote {output}", err=True)
