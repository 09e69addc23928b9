"""``rentopt review``: a plan as finance reviews it: memo, workbook, cost table or data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.decision_options import gap_share
from optimizer.cli.explaining import Changes, Depth, Explain, asked_changes, explained
from optimizer.cli.plan import check_writable, deliver
from optimizer.cli.price_options import (
    ANY_PRICES,
    NO_STORE,
    AsOf,
    PlanStore,
    Prices,
    Quotes,
    price_book,
)
from optimizer.cli.progress import interruptible, told

if TYPE_CHECKING:
    from decimal import Decimal

    from optimizer.plans import Plan
    from optimizer.problem import Problem
    from optimizer.review.figure import Figure
    from optimizer.review.memo.memo import Memo
    from optimizer.review.sensitivity.ranges import Seen
    from optimizer.review.sides import Side
    from optimizer.review.spending.spending import Spending
    from optimizer.review.workbook.question import Question
    from optimizer.schedule.schedule import Schedule
    from providers.offers import OfferBook


class ReviewFormat(StrEnum):
    HTML = "html"
    MD = "md"
    XLSX = "xlsx"
    FOCUS = "focus"
    JSON = "json"


class MemoLang(StrEnum):
    EN = "en"
    ZH = "zh"


class FocusVersion(StrEnum):
    V1_2 = "1.2"
    V1_4 = "1.4"


@dataclass
class Material:
    """What writers write from; the schedule and its prices are met only when one asks."""

    plan: Plan
    priced: Callable[[], tuple[Schedule, OfferBook]]
    focus_version: str = FocusVersion.V1_2
    lang: str = MemoLang.EN
    static: bool = False
    store: str | None = None

    @cached_property
    def problem(self) -> Problem:
        from optimizer.problem import gather

        return gather(*self.priced())

    @cached_property
    def question(self) -> Question:
        from optimizer.review.workbook.question import make_question

        return make_question(self.plan, self.problem)

    @cached_property
    def spending(self) -> Spending | None:
        """What is reviewed where no purchase can be weighed."""
        from optimizer.review.spending.spending import make_spending
        from optimizer.review.workbook.question import NothingToWeighError

        try:
            _ = self.question
        except NothingToWeighError as why:
            return make_spending(self.plan, self.problem, self.side, why)
        return None

    @cached_property
    def side(self) -> Side:
        """The plan with its bill."""
        from optimizer.report.plan_json import plan_to_dict
        from optimizer.review.plan_figures import plan_side
        from optimizer.verify.examine import whole_problem
        from optimizer.verify.plan_document import read_plan

        document = read_plan(plan_to_dict(self.plan))
        return plan_side(self.plan, document, whole_problem(document, *self.priced()))

    def figures(
        self, asked: list[str], changes: tuple[tuple[str, Decimal], ...] = ()
    ) -> tuple[Figure, ...]:
        """Those of the question, then those of the plan as a whole.

        Args:
            asked: where one of these is not among them, the memo's own follow; they take longer.
            changes: other values for assumptions of the question; the plan's figures are left out.
        """
        from optimizer.review.commitments import commitments
        from optimizer.review.derivation.answers import answer_figures
        from optimizer.review.memo.figures import memo_figures
        from optimizer.review.plan_figures import plan_figures
        from optimizer.review.spending.figures import spending_figures, term_figures

        if changes:
            from optimizer.review.sensitivity.one_at_a_time import set_all

            names = [name for name, _ in changes]
            other = set_all(self.question, changes)
            return answer_figures(other, self.plan, self.problem, names)
        of_plan = plan_figures(self.plan, self.side)
        if self.spending is not None:
            return (*spending_figures(self.spending, of_plan), *of_plan)
        answers = answer_figures(self.question, self.plan, self.problem)
        signed = commitments(self.plan, self.problem)
        found = (*answers, *of_plan, *term_figures(signed, of_plan, self.plan.currency))
        known = {part.name for figure in found for part in figure.walk()}
        return found if known >= set(asked) else found + memo_figures(self.memo, self.problem)

    @cached_property
    def memo(self) -> Memo:
        from optimizer.review.memo.memo import make_memo

        return make_memo(self.plan, self.problem, self.question, price_history(self))


def price_history(material: Material) -> tuple[Seen, ...]:
    """Earlier prices of the rental compared with, where a price store has some."""
    from optimizer.review.sensitivity.ranges import compared_quote, seen_prices
    from providers.config import load_config
    from providers.stored import price_changes

    question, problem, store = material.question, material.problem, material.store
    quote = compared_quote(question, problem)
    if quote is None or store == NO_STORE:
        return ()
    sku = quote.listing.offer.sku
    changes = price_changes(store or load_config().store_url, sku, material.plan.as_of)
    return seen_prices(question, problem, changes)


def _html(material: Material) -> str:
    with _extra("a memo as HTML", "jinja2"):
        from optimizer.review.memo.page import memo_html
        from optimizer.review.spending.page import spending_html
    from optimizer.review.memo.words import Lang

    if material.spending is not None:
        return spending_html(material.spending, Lang(material.lang))
    return memo_html(material.memo, Lang(material.lang), static=material.static)


def _md(material: Material) -> str:
    from optimizer.review.memo.markdown import memo_md
    from optimizer.review.memo.words import Lang
    from optimizer.review.spending.markdown import spending_md

    if material.spending is not None:
        return spending_md(material.spending, Lang(material.lang))
    return memo_md(material.memo, Lang(material.lang))


def _xlsx(material: Material) -> bytes:
    from optimizer.review.spending.workbook import spending_workbook
    from optimizer.review.workbook.book import workbook

    with _extra("a workbook", "xlsxwriter"):
        if material.spending is not None:
            return spending_workbook(material.spending)
        return workbook(material.question, material.plan)


@contextmanager
def _extra(what: str, package: str) -> Iterator[None]:
    """A package of the extra that is not there is said in a sentence."""
    from providers.errors import RentoptError

    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise RentoptError(f"{what} needs an extra: pip install rentopt[review]") from None


def _focus(material: Material) -> str:
    from optimizer.review.focus import focus_csv

    return focus_csv(material.plan, material.focus_version)


def _json(material: Material) -> str:
    from optimizer.review.commitments import commitments
    from optimizer.review.spending.document import spending_json
    from optimizer.review.workbook.as_json import comparison

    if material.spending is not None:
        body = spending_json(material.spending)
    else:
        signed = commitments(material.plan, material.problem)
        body = comparison(material.question, material.plan, signed)
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


WRITERS: dict[ReviewFormat, Callable[[Material], str | bytes]] = {
    ReviewFormat.HTML: _html,
    ReviewFormat.MD: _md,
    ReviewFormat.XLSX: _xlsx,
    ReviewFormat.FOCUS: _focus,
    ReviewFormat.JSON: _json,
}
"""Each imports what it needs when it is asked."""


def review(
    plan: Annotated[
        Path,
        typer.Argument(help="Plan (JSON of rentopt plan), or a schedule (YAML) to plan first."),
    ],
    format: Annotated[
        ReviewFormat | None,
        typer.Option("--format", help="Form of the output; of --explain text, or json."),
    ] = None,
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
    focus_version: Annotated[
        FocusVersion, typer.Option(help="Version of FOCUS that --format focus writes.")
    ] = FocusVersion.V1_2,
    explain: Explain = None,
    depth: Depth = None,
    changes: Changes = None,
    lang: Annotated[MemoLang, typer.Option(help="Language of a memo (html, md).")] = MemoLang.EN,
    static: Annotated[
        bool, typer.Option("--static", help="An HTML memo without sliders or any script.")
    ] = False,
    as_of: AsOf = None,
    prices: Prices = ANY_PRICES,
    quotes: Quotes = None,
    store: PlanStore = None,
    gap: Annotated[
        float,
        typer.Option(
            parser=gap_share, metavar="PERCENT", help="As for rentopt plan; of a schedule only."
        ),
    ] = "0.5%",  # type: ignore[assignment]  # the parser turns it into the share
    time_limit: Annotated[
        float, typer.Option(min=1, help="As for rentopt plan; of a schedule only.")
    ] = 60.0,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say each step on standard error.")
    ] = False,
) -> None:
    """Write a plan up for a finance review: a memo to sign, a workbook, FOCUS rows, or JSON."""
    check_writable(output)
    _check_format(format, explain, changes)
    if format is ReviewFormat.XLSX:
        _refuse_terminal(output)
    if plan.suffix.lower() == ".json":
        material = plan_material(plan, schedule, quotes, store)
    else:
        material = _schedule_material(plan, as_of, prices, quotes, store, gap, time_limit, verbose)
    if explain:
        figures = material.figures(explain, asked_changes(changes))
        deliver(explained(figures, explain, depth, data=format is not None), output)
    elif format is not None:
        material.focus_version, material.lang, material.static = focus_version, lang, static
        deliver(WRITERS[format](material), output)


def _check_format(
    format: ReviewFormat | None, explain: list[str] | None, changes: list[str] | None
) -> None:
    if explain and format not in (None, ReviewFormat.JSON):
        raise typer.BadParameter("--explain writes text, or json", param_hint="--format")
    if changes and not explain:
        raise typer.BadParameter("is of --explain", param_hint="--set")
    if not explain and format is None:
        known = ", ".join(ReviewFormat)
        raise typer.BadParameter(f"say which: {known}; or --explain", param_hint="--format")


def _refuse_terminal(output: Path) -> None:
    import sys

    if str(output) == "-" and sys.stdout.isatty():
        raise typer.BadParameter("a workbook is no text; name a file", param_hint="--output")


def plan_material(
    path: Path, schedule: Path | None, quotes: list[Path] | None, store: str | None
) -> Material:
    from optimizer.review.plan_file import load_plan, schedule_of

    found = load_plan(path)

    def priced() -> tuple[Schedule, OfferBook]:
        loaded = schedule_of(found, path, schedule)
        return loaded, price_book(loaded, None, quotes, ("of", str(path)), store)

    return Material(found, priced, store=store)


def _schedule_material(
    path: Path,
    as_of: AsOf,
    prices: tuple[str, str],
    quotes: list[Path] | None,
    store: str | None,
    gap: float,
    time_limit: float,
    verbose: bool,
) -> Material:
    from optimizer import load_schedule
    from optimizer import plan as find_plan
    from optimizer.milp.solve import SolveOptions

    loaded = load_schedule(path)
    book = price_book(loaded, as_of, quotes, prices, store)
    options = SolveOptions(gap=gap, time_limit_s=time_limit)
    with told(verbose) as tell:
        found = interruptible(
            lambda: find_plan(loaded, book, options, breakeven_s=0.0, progress=tell)
        )
    return Material(found, lambda: (loaded, book), store=store)
