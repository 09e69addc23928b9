"""``rentopt sensitivity``: what a review's answer hangs on, and how sure it is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.plan import check_writable, deliver, terminal
from optimizer.cli.price_options import PlanStore, Quotes
from optimizer.cli.review import plan_material, price_history

if TYPE_CHECKING:
    from optimizer.plans import Plan
    from optimizer.review.sensitivity.results import Sensitivity


class StudyFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    MD = "md"


def tie(text: str) -> tuple[str, str, float]:
    """``rent:residual=0.5`` as a correlation."""
    pair, _, value = text.partition("=")
    one, _, other = pair.partition(":")
    try:
        found = float(value)
    except ValueError:
        found = 2.0
    if not one or not other or not -1 < found < 1:
        raise typer.BadParameter(
            f"'{text}' is no correlation between -1 and 1; write it like rent:residual=0.5"
        )
    return one, other, found


def sensitivity(
    plan: Annotated[Path, typer.Argument(help="Plan (JSON of rentopt plan).")],
    format: Annotated[StudyFormat, typer.Option("--format", help="Form of the output.")] = (
        StudyFormat.TABLE
    ),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
    schedule: Annotated[
        Path | None,
        typer.Option(
            help="Schedule the plan was made for.",
            show_default="the file of its name beside the plan",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=2, max=1_000_000, help="Random draws.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same.")] = 1,
    correlation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A:B=NUMBER",
            help="Correlation of two of rent, use, residual, delay; repeatable.",
            show_default="rent:residual=0.5",
        ),
    ] = None,
    scenarios: Annotated[
        Path | None,
        typer.Option(
            help="CSV of your own scenarios: name, probability, and a column an assumption.",
            show_default="rental price by utilisation",
        ),
    ] = None,
    quotes: Quotes = None,
    store: PlanStore = None,
) -> None:
    """Tell what a buy-or-rent answer hangs on: ranges, scenarios, random draws, waiting."""
    check_writable(output)
    ties = tuple(tie(text) for text in correlation) if correlation else None
    from optimizer.review.sensitivity.one_at_a_time import scenario_table
    from optimizer.review.sensitivity.scenario_file import read_scenarios
    from optimizer.review.sensitivity.study import study

    material = plan_material(plan, schedule, quotes, store)
    question, problem = material.question, material.problem
    own = None
    if scenarios is not None:
        own = scenario_table(question, read_scenarios(scenarios), f"from {scenarios.name}")
    found = study(
        question,
        problem,
        history=price_history(material),
        draws=draws,
        seed=seed,
        correlations=ties,
        scenarios=own,
    )
    deliver(_told(found, material.plan, format, output), output)


def _told(found: Sensitivity, plan: Plan, format: StudyFormat, output: Path) -> str:
    from optimizer.review.sensitivity import told

    if format is StudyFormat.JSON:
        return told.study_json(found, plan)
    if format is StudyFormat.MD:
        return told.study_md(found, plan)
    width, color = terminal() if str(output) == "-" else (None, False)
    return told.study_text(found, plan, width=width, color=color)
