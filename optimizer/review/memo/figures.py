"""How the memo's own figures come about: those that are no answers of the workbook.

Names are those of the memo's ``data-figure``; `rentopt review --explain` tells them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from optimizer.problem import Problem
from optimizer.review.derivation.answers import answer_figures, month_figures
from optimizer.review.derivation.steps import worked_out
from optimizer.review.figure import Figure, How, find
from optimizer.review.memo.ladder import Ladder
from optimizer.review.memo.memo import Memo
from optimizer.review.sensitivity.results import Bar

_OF_ALL = {"rate": "discount_rate", "tariff": "electricity"}
_SAME_ELSE = "NPV with this value, all else as it is"


def memo_figures(memo: Memo, problem: Problem) -> tuple[Figure, ...]:
    """In the order of the memo."""
    return tuple(_MemoFigures(memo, problem).all())


class _MemoFigures:
    def __init__(self, memo: Memo, problem: Problem) -> None:
        self.memo, self.plan, self.problem = memo, memo.plan, problem
        self.money = memo.question.currency
        self.base = answer_figures(memo.question, memo.plan, problem)
        self.months = month_figures(memo.question, memo.plan, problem)
        self.known: dict[str, Figure] = {}
        for figure in (*self.base, *self.months):
            for part in figure.walk():
                self.known.setdefault(part.name, part)

    def all(self) -> Iterator[Figure]:
        yield self._until()
        yield from self._answers()
        yield from self._nodes()
        yield from self.months
        for bar in self.memo.study.tornado.bars:
            yield from self._bar(bar)
        yield from self._draws()
        yield from self._scenarios()
        yield from self._waiting()

    def _given(self, name: str, title: str, value: Decimal | float | None, unit: str,
               source: str, *, note: str = "", symbol: str = "") -> Figure:  # fmt: skip
        exact = Decimal(repr(value)) if isinstance(value, float) else value
        return Figure(name, title, exact, unit, source=source, note=note, symbol=symbol)

    def _until(self) -> Figure:
        until = self.memo.decision.until
        note = f"{until.day}: {until.why} of {until.subject}"
        words = "first day on which a price, an offer, a default or a payment asks for another look"
        return Figure("valid_until", "last day of the recommendation", None, "date", How.WORDS,
                      words, code="a_day", note=note)  # fmt: skip

    # -- plans -----------------------------------------------------------------------------------

    def _answers(self) -> Iterator[Figure]:
        """Bills of the plans that were not chosen; the rest is of the plan itself."""
        for answer in self.plan.answers:
            if answer.npv is not None and answer.kind != "mix":
                gap = "" if answer.gap is None else f"proven within {answer.gap:.2%}"
                name, title = f"answers.{answer.kind}.total", f"bill of {answer.kind}, undiscounted"
                source = "the best plan of this kind that was found"
                yield self._given(name, title, answer.total, self.money, source, note=gap)

    # -- nodes -----------------------------------------------------------------------------------

    def _nodes(self) -> Iterator[Figure]:
        ladder = Ladder(self.memo.what_if, self.plan)
        for rung, question in zip(self.memo.rungs, ladder.alone(), strict=True):
            name = f"ladder.{rung.number}"
            title = f"utilisation of node {rung.number}"
            source = f"usages of the plan: hours in which {rung.number} nodes work"
            use = self._given(f"{name}.use", title, rung.use, "share", source)
            yield use
            own = answer_figures(question, self.plan, self.problem)
            told = f"node {rung.number} alone, used as above"
            title = f"saving of node {rung.number}"
            saving = replace(find(own, "npv"), name=f"{name}.saving", title=title, note=told)
            yield replace(saving, inputs=(*saving.inputs, use))
            title = f"rental price from which node {rung.number} pays"
            even = find(own, "break_even_rent")
            even = replace(even, name=f"{name}.even_rent", title=title, note=told)
            yield replace(even, inputs=(*even.inputs, use))

    # -- what may turn out otherwise -------------------------------------------------------------

    def _assumption(self, driver: str) -> tuple[Figure, ...]:
        """Of the purchase with the most nodes, where it is of one."""
        lots = self.memo.question.lots
        number = 1 + lots.index(max(lots, key=lambda lot: lot.nodes))
        field = "resale" if driver == "residual" else driver
        found = self.known.get(_OF_ALL.get(driver, driver)) or self.known.get(f"{field}_{number}")
        return (found,) if found is not None else ()

    def _bar(self, bar: Bar) -> Iterator[Figure]:
        span, npv = bar.span, self.known["npv"]
        name, unit = f"tornado.{span.driver}", span.unit
        source = f"{span.basis}: {span.source}"
        for end, value, found in (
            ("low", span.low, bar.npv_low), ("high", span.high, bar.npv_high),
        ):  # fmt: skip
            at = self._given(f"{name}.at_{end}", f"{span.title}, {end}", value, unit, source)
            title, on = f"NPV with {span.title} at its {end} end", (at, npv)
            yield Figure(f"{name}.{end}", title, found, self.money, How.WORDS, _SAME_ELSE, on)
        inputs = (*self._assumption(span.driver), npv)
        words, title = "value at which NPV is 0, all else as it is", f"{span.title} that flips it"
        code = "never" if bar.flip is None else ""
        flip = Figure(f"{name}.flip", title, bar.flip, unit, How.WORDS, words, inputs, code=code)
        yield flip
        if bar is self.memo.study.tornado.decisive:
            yield replace(flip, name=f"flip.{span.driver}")

    def _draws(self) -> Iterator[Figure]:
        found = self.memo.study.monte_carlo
        ties = ", ".join(f"{one} and {other} {tie:+.2g}" for one, other, tie in found.correlations)
        on = tuple(
            self._given(f"drawn.{one.driver}", one.title, None, "", f"{one.basis}: {one.source}",
                        note=one.how)
            for one in found.drawn
        )  # fmt: skip
        drawn = f"{found.draws} draws, seed {found.seed}; correlation: {ties or 'none'}"
        figures = [("mean", "mean NPV", found.mean), *(
            (f"p{share * 100:.0f}", f"NPV that {share:.0%} of the draws are below", npv)
            for share, npv in found.quantiles
        ), ("regret_buying", "regret of buying, mean of the worst twentieth (CVaR)",
            found.cvar_regret_buying),
           ("regret_renting", "regret of renting, mean of the worst twentieth (CVaR)",
            found.cvar_regret_renting)]  # fmt: skip
        for name, title, value in figures:
            exact = Decimal(repr(value))
            yield Figure(f"mc.{name}", title, exact, self.money, How.WORDS, drawn, on)
        wins, title = Decimal(repr(found.buying_wins)), "share of draws with NPV above 0"
        yield Figure("mc.buying_wins", title, wins, "", How.WORDS, drawn, on)

    def _scenarios(self) -> Iterator[Figure]:
        found, parts = self.memo.study.scenarios, []
        for number, case in enumerate(found.scenarios, start=1):
            on = tuple(
                self._given(f"scenario.{number}.{driver}", driver, value, "", found.how)
                for driver, value in case.values
            )
            npv = Figure(f"scenario.{number}.npv", f"NPV: {case.name}", case.npv, self.money,
                         How.WORDS, _SAME_ELSE, on)  # fmt: skip
            yield npv
            likely = self._given(f"scenario.{number}.probability", "probability", case.probability,
                                 "", found.how)  # fmt: skip
            weighted, title = case.probability * case.npv, f"weighted: {case.name}"
            parts.append(Figure(f"scenario.{number}.weighted", title, weighted, self.money,
                                How.PRODUCT, "probability x NPV", (likely, npv)))  # fmt: skip
        yield Figure("scenarios.expected", "expected NPV", found.expected, self.money, How.SUM,
                     "sum", tuple(parts))  # fmt: skip
        words = "probabilities of the scenarios with NPV above 0, added up"
        yield Figure("scenarios.buying_wins", "probability that buying wins", found.buying_wins, "",
                     How.WORDS, words, tuple(parts))  # fmt: skip

    def _waiting(self) -> Iterator[Figure]:
        found = self.memo.study.waiting
        if found is None:
            return
        source = f"volatility {found.volatility:.0%} a year; {found.basis}: {found.source}"
        now = replace(self.known["npv"], symbol="now")
        wait = self._given("waiting.wait", f"renting on for {found.days} days, then choosing",
                           found.npv_wait, self.money, source, symbol="wait")  # fmt: skip
        yield worked_out("waiting.value", "value of waiting", self.money, "wait - max(now, 0)",
                         wait, now)  # fmt: skip
