"""``rentopt hedge``: what to sign today when it is not known what comes."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.decision_options import gap_share
from optimizer.cli.plan import SOLVERS, Solver, check_writable, deliver
from optimizer.cli.price_options import (
    ANY_PRICES,
    AsOf,
    PlanStore,
    Prices,
    Quotes,
    price_book,
    store_behind,
)
from optimizer.cli.progress import best_so_far, told

if TYPE_CHECKING:
    from optimizer.uncertainty.hedge import Hedge


class HedgeFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class Aim(StrEnum):
    EXPECTED = "expected"
    CVAR = "cvar"


def hedge(
    schedule: Annotated[Path, typer.Argument(help="What to run, and when (YAML).")],
    scenarios: Annotated[Path, typer.Argument(help="What may come, and how likely (YAML).")],
    risk: Annotated[
        Aim, typer.Option(help="Least expected cost, or least mean of the worst cases.")
    ] = Aim.EXPECTED,
    level: Annotated[
        float,
        typer.Option(
            parser=gap_share,
            metavar="PERCENT",
            help="CVaR is the mean of the outcomes worse than so many.",
        ),
    ] = "90%",  # type: ignore[assignment]  # the parser turns it into the share
    weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Of CVaR in what is minimised, the rest is the expected cost.",
            show_default="1 with --risk cvar",
        ),
    ] = None,
    plans: Annotated[
        Path | None,
        typer.Option(
            "--plans", metavar="FOLDER", help="Write each scenario's plan (JSON) into a folder."
        ),
    ] = None,
    format: Annotated[HedgeFormat, typer.Option("--format", help="Form of the output.")] = (
        HedgeFormat.TABLE
    ),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
    as_of: AsOf = None,
    prices: Prices = ANY_PRICES,
    quotes: Quotes = None,
    store: PlanStore = None,
    gap: Annotated[
        float,
        typer.Option(
            parser=gap_share,
            metavar="PERCENT",
            help="Stop when the decision is proven to be so close to the best.",
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
    """Find what to buy and commit to now, when prices, load and deliveries are uncertain."""
    if weight is not None and risk is Aim.EXPECTED:
        raise typer.BadParameter("is of --risk cvar", param_hint="--weight")
    check_writable(output)
    from optimizer.milp.solve import SolveOptions
    from optimizer.milp.two_stage import Risk
    from optimizer.report.hedge import hedge_text
    from optimizer.report.hedge_document import hedge_json
    from optimizer.report.tables import TableFormat
    from optimizer.schedule.load import load_schedule
    from optimizer.uncertainty.load import load_scenarios
    from optimizer.uncertainty.study import hedge as decide

    asked = load_schedule(schedule)
    listed = load_scenarios(scenarios)
    book = price_book(asked, as_of, quotes, prices, store)
    past = listed.past(book, store_behind(book, store))
    drawn = listed.scenarios(asked, book, past)
    aim = Risk(weight=0.0 if risk is Aim.EXPECTED else 1.0 if weight is None else weight,
               level=level)  # fmt: skip
    with told(verbose, asked.currency) as tell:
        options = SolveOptions(gap, time_limit, SOLVERS[solver], watch=tell.watch)
        found, ended = best_so_far(
            lambda: decide(asked, book, listed, drawn, aim, options, progress=tell),
            tell,
            "the best decision so far",
        )
    if past is not None:
        found = replace(found, drawn_from=past.words)
    if format is HedgeFormat.JSON:
        text = hedge_json(found)
    else:
        text = hedge_text(found, TableFormat(format.value))
    deliver(text, output)
    if plans is not None:
        _write_plans(found, plans)
    if ended:
        raise typer.Exit(ended)


def _write_plans(found: Hedge, folder: Path) -> None:
    from optimizer.report.files import write_atomically
    from optimizer.report.plan_json import plan_to_json
    from providers.errors import RentoptError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for line in found.outcomes:
            write_atomically(folder / f"{line.scenario}.json", plan_to_json(line.plan))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RentoptError(f"{folder} cannot be written: {reason}") from None
    typer.echo(f"wrote {len(found.outcomes)} plans to {folder}", err=True)
