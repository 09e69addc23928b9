"""``rentopt diff``: why one plan costs another amount than the other."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.decision_options import gap_share
from optimizer.cli.plan import check_writable, deliver, interruptible, terminal, told
from optimizer.cli.price_options import PlanStore, Quotes, price_book

if TYPE_CHECKING:
    from optimizer.diff.results import Difference
    from optimizer.diff.split import Side


class DiffFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    MD = "md"


_BESIDE = "the file of its name beside the plan"


def diff(
    plan_a: Annotated[Path, typer.Argument(help="The plan before (JSON of rentopt plan).")],
    plan_b: Annotated[Path, typer.Argument(help="The plan after.")],
    format: Annotated[DiffFormat, typer.Option("--format", help="Form of the output.")] = (
        DiffFormat.TABLE
    ),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
    schedule_a: Annotated[
        Path | None, typer.Option(help="Schedule of the plan before.", show_default=_BESIDE)
    ] = None,
    schedule_b: Annotated[
        Path | None, typer.Option(help="Schedule of the plan after.", show_default=_BESIDE)
    ] = None,
    quotes: Quotes = None,
    store: PlanStore = None,
    gap: Annotated[
        float,
        typer.Option(
            parser=gap_share,
            metavar="PERCENT",
            help="Of the one plan that is made where both work and prices differ.",
        ),
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds for that plan.")] = 60.0,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say each step on standard error.")
    ] = False,
) -> None:
    """Split the change of cost between two plans by cause: rates, prices, assumptions, work."""
    check_writable(output)
    from optimizer.diff.split import split
    from optimizer.milp.solve import SolveOptions

    before = _side(plan_a, schedule_a, "--schedule-a", quotes, store)
    after = _side(plan_b, schedule_b, "--schedule-b", quotes, store)
    options = SolveOptions(gap=gap, time_limit_s=time_limit)
    with told(verbose) as tell:
        found = interruptible(lambda: split(before, after, options, tell))
    deliver(_text(found, format, output), output)


def _side(
    path: Path, schedule: Path | None, option: str, quotes: list[Path] | None, store: str | None
) -> Side:
    from optimizer.diff.split import Side
    from optimizer.review.plan_file import load_plan, schedule_of

    plan = load_plan(path)
    loaded = schedule_of(plan, path, schedule, option)
    body = json.loads(path.read_text(encoding="utf-8"))
    return Side(str(path), body, loaded, price_book(loaded, None, quotes, ("of", str(path)), store))


def _text(found: Difference, format: DiffFormat, output: Path) -> str:
    from optimizer.report.diff_text import diff_json, diff_md, diff_text

    if format is DiffFormat.JSON:
        return diff_json(found)
    if format is DiffFormat.MD:
        return diff_md(found)
    width, color = terminal() if str(output) == "-" else (None, False)
    return diff_text(found, width=width, color=color)
