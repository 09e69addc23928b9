"""``rentopt sensitivity``: what a review's answer hangs on, and how sure it is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.decision_options import gap_share
from optimizer.cli.plan import check_writable, deliver, terminal
from optimizer.cli.price_options import PlanStore, Quotes
from optimizer.cli.progress import interruptible
from optimizer.cli.review import plan_material, price_history
from optimizer.cli.sweep import cores, local_backend, progress_bar, span_of

if TYPE_CHECKING:
    from optimizer.plans import Plan
    from optimizer.reoptimise import Reoptimised, Work
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
    reoptimise: Annotated[
        int,
        typer.Option(
            min=0,
            max=10_000,
            metavar="DRAWS",
            help="Plan the schedule again in so many draws, on all cores; says how long it takes.",
        ),
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Plans at a time of --reoptimise.", show_default="one a core"),
    ] = None,
    gap: Annotated[
        float,
        typer.Option(parser=gap_share, metavar="PERCENT", help="Of each plan made again."),
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds for each problem of --reoptimise.")
    ] = 60.0,
    quotes: Quotes = None,
    store: PlanStore = None,
) -> None:
    """Tell what a buy-or-rent answer hangs on: ranges, scenarios, random draws, waiting."""
    check_writable(output)
    ties = tuple(tie(text) for text in correlation) if correlation else None
    from optimizer.reoptimise import Work, draws_of
    from optimizer.review.sensitivity.monte_carlo import rent_volatility
    from optimizer.review.sensitivity.one_at_a_time import scenario_table
    from optimizer.review.sensitivity.scenario_file import read_scenarios
    from optimizer.review.sensitivity.study import study

    material = plan_material(plan, schedule, quotes, store)
    question, problem = material.question, material.problem
    own = None
    if scenarios is not None:
        own = scenario_table(question, read_scenarios(scenarios), f"from {scenarios.name}")
    history = price_history(material)
    found = study(
        question,
        problem,
        history=history,
        draws=draws,
        seed=seed,
        correlations=ties,
        scenarios=own,
    )
    again = None
    if reoptimise:
        spans = [bar.span for bar in found.tornado.bars]
        volatility = rent_volatility(spans, history)
        draws_again = draws_of(question, spans, volatility, reoptimise, seed, ties)
        work = Work(material.plan, *material.priced(), draws_again, seed)
        again = _again(work, gap, time_limit, workers)
    deliver(_told(found, again, material.plan, format, output), output)


def _again(work: Work, gap: float, time_limit: float, workers: int | None) -> Reoptimised:
    """Plan every draw; first one alone, to say how long all take."""
    from optimizer.reoptimise import first_seconds, reoptimise
    from optimizer.sweep.backends import Here
    from optimizer.sweep.document import PlanOptions

    options = PlanOptions(gap=gap, time_limit=time_limit, breakeven=False)
    number, count = workers or cores(), len(work.cases)
    each = first_seconds(work, options, Here(interruptible))
    typer.echo(
        f"rentopt: {count:,} plans, {number} at a time, about {span_of(each * count / number)}",
        err=True,
    )
    with progress_bar(number) as tell:
        return reoptimise(work, options, local_backend(number), tell)


def _told(
    found: Sensitivity, again: Reoptimised | None, plan: Plan, format: StudyFormat, output: Path
) -> str:
    from optimizer.reoptimise import section_of
    from optimizer.review.sensitivity import told

    if format is StudyFormat.JSON:
        return told.study_json(found, plan, told.as_plain(again))
    more = [] if again is None else [section_of(again, found.currency)]
    if format is StudyFormat.MD:
        return told.study_md(found, plan, more)
    width, color = terminal() if str(output) == "-" else (None, False)
    return told.study_text(found, plan, more, width=width, color=color)
