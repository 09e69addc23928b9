"""The memo's tables of what may turn out otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from optimizer.review.memo.plan_tables import Cell, Row, Table
from optimizer.review.memo.studied import FORMS
from optimizer.review.memo.tables import Tables, whole
from optimizer.review.memo.words import NONE
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.results import Bar, Basis, Waiting


class SwingTables(Tables):
    """The same cells, other tables."""

    def even(self, factors: Sequence[Decimal]) -> Table:
        rows = [
            Row((
                self.number(self.w.price(point.rent)),
                self.number(NONE if point.use is None else self.w.percent(point.use)),
            ))
            for point in self.base.even_use(list(factors))
        ]  # fmt: skip
        return Table(self.w("even_title"), self.head("rent", "even_use", right=0), tuple(rows))

    def tornado(self) -> Table:
        rows = [self._bar(bar) for bar in self.memo.study.tornado.bars]
        heads = (*self.head("assumption", "now", "low", "high", "npv_low", "npv_high", "flip"),
                 Cell(self.w("col_range")))  # fmt: skip
        return Table(self.w("h_tornado"), heads, tuple(rows))

    def _bar(self, bar: Bar) -> Row:
        span, form = bar.span, FORMS[bar.span.driver]
        name = f"tornado.{span.driver}"
        basis = self.w(f"basis_{span.basis.name.lower()}")
        flip = NONE if bar.flip is None else self.w.of(form, bar.flip)
        found = Cell(basis, "wide") if span.basis is Basis.NO_DATA else self.quoted(span.source)
        return Row((
            Cell(self.w(f"swing_{span.driver}")),
            *(self.number(self.w.of(form, value)) for value in (span.base, span.low, span.high)),
            self.money(bar.npv_low, f"{name}.low", sign=True),
            self.money(bar.npv_high, f"{name}.high", sign=True),
            self.number(flip, f"{name}.flip", "" if bar.flip is None else bar.flip),
            replace(found, kind="wide"),
        ))  # fmt: skip

    def two_way(self) -> Table | None:
        found = self.memo.two_way
        if found is None:
            return None
        planned, today = (ALL[name].get(self.q) for name in ("use", "rent"))
        rows = [
            Row((
                Cell(self.w.percent(use), "n here" if use == planned else "n"),
                *(
                    Cell(self.w.number(npv, sign=True),
                         self._cell_kind(npv, here=use == planned and rent == today))
                    for rent, npv in zip(found.rents, line, strict=True)
                ),
            ))
            for use, line in zip(found.uses, found.npv, strict=True)
        ]  # fmt: skip
        heads = (Cell(self.w("col_use_down")), *(
            Cell(self.w.price(rent), "n here" if rent == today else "n") for rent in found.rents
        ))  # fmt: skip
        return Table(self.w("h_two_way"), heads, tuple(rows), kind="heat",
                     across=self.w("across_rent", currency=self.w.unit))  # fmt: skip

    @staticmethod
    def _cell_kind(npv: Decimal, *, here: bool) -> str:
        return f"n {'wins' if npv > 0 else 'loses'}{' here' if here else ''}"

    def regime(self) -> Table:
        found = self.memo.regime
        rows = [
            Row((
                Cell(self.w.percent(load, 0), "n here" if load == 1 else "n"),
                *(
                    Cell(f"{nodes}", f"n own{nodes * 4 // found.most}"
                         f"{' here' if load == 1 == rent else ''}")
                    for rent, nodes in zip(found.rents, line, strict=True)
                ),
            ))
            for load, line in zip(found.loads, found.nodes, strict=True)
        ]  # fmt: skip
        heads = (Cell(self.w("col_load_down")), *(
            Cell(self.w.percent(rent, 0), "n here" if rent == 1 else "n") for rent in found.rents
        ))  # fmt: skip
        return Table(self.w("h_regime"), heads, tuple(rows), kind="heat",
                     across=self.w("across_rent_share"))  # fmt: skip

    # -- how likely ------------------------------------------------------------------------------

    def drawn(self, value: float, key: str = "") -> Cell:
        return self.money(whole(value), key, sign=True, exact=Decimal(repr(value)))

    def spread(self) -> Table:
        """What the random draws found."""
        found, w = self.memo.study.monte_carlo, self.w
        amounts = [
            (w("mc_mean"), found.mean, "mc.mean"),
            *((w("mc_quantile", share=w.percent(Decimal(repr(q)), 0)), npv, f"mc.p{q * 100:.0f}")
              for q, npv in found.quantiles),
        ]  # fmt: skip
        wins = w.percent(Decimal(repr(found.buying_wins)))
        first = (Cell(w("mc_wins")), self.number(wins, "mc.buying_wins", found.buying_wins))
        rows = [
            Row(first, "strong"),
            *(Row((Cell(name), self.drawn(value, key))) for name, value, key in amounts),
            *(
                Row(
                    (
                        Cell(w(f"mc_regret_{side}")),
                        self.money(whole(value), f"mc.regret_{side}", exact=Decimal(repr(value))),
                    )
                )
                for side, value in (
                    ("buying", found.cvar_regret_buying),
                    ("renting", found.cvar_regret_renting),
                )
            ),
        ]
        ties = w("comma").join(
            f"{w(f'swing_{one}')} / {w(f'swing_{other}')}: {value:+.2g}"
            for one, other, value in found.correlations
        )
        notes = (
            Cell(w("mc_how", draws=w.number(Decimal(found.draws)), seed=found.seed,
                   error=w.number(whole(found.standard_error)))),
            Cell(w("mc_ties", ties=ties or w("none"))),
        )  # fmt: skip
        heads = self.head("figure", "npv")
        return Table(w("mc_title"), heads, tuple(rows), notes=notes, titled=True)

    def drawn_from(self) -> Table:
        rows = [
            Row((
                Cell(self.w(f"swing_{each.driver}")), self.quoted(each.how, "wide"),
                Cell(self.w(f"basis_{each.basis.name.lower()}"), "wide"),
                replace(self.quoted(each.source), kind="wide"),
            ))
            for each in self.memo.study.monte_carlo.drawn
        ]  # fmt: skip
        heads = tuple(Cell(self.w(f"col_{k}")) for k in ("assumption", "drawn", "range", "source"))
        return Table(self.w("mc_drawn"), heads, tuple(rows), titled=True)

    def scenarios(self) -> Table:
        """A column for each assumption that some scenario moves."""
        found, w = self.memo.study.scenarios, self.w
        names = list(dict.fromkeys(n for case in found.scenarios for n, _ in case.values))
        rows = []
        for number, case in enumerate(found.scenarios, start=1):
            values = dict(case.values)
            shown = [
                self.number(w.of(FORMS[name], values.get(name, ALL[name].get(self.q))))
                for name in names
            ]
            rows.append(
                Row((Cell(f"{number}", "n"), *shown, self.number(w.percent(case.probability, 0)),
                     self.money(case.npv, f"scenario.{number}.npv", sign=True)))
            )  # fmt: skip
        foot = Row((
            Cell(w("expected")), *[Cell("")] * len(names),
            self.number(w.percent(found.buying_wins, 0), "scenarios.buying_wins",
                        found.buying_wins),
            self.money(found.expected, "scenarios.expected", sign=True),
        ))  # fmt: skip
        heads = (Cell(w("col_scenario"), "n"), *(Cell(w(f"swing_{n}"), "n") for n in names),
                 *self.head("probability", "npv", right=0))  # fmt: skip
        notes = (Cell(w("scenarios_note")),)
        return Table(w("t_scenarios"), heads, tuple(rows), foot, notes=notes, titled=True)

    def waiting(self) -> Table | None:
        found = self.memo.study.waiting
        if found is None:
            return None
        rows = [
            Row((Cell(self.w("wait_now")), self.drawn(found.npv_now))),
            Row((Cell(self.w("wait_then", days=found.days)), self.drawn(found.npv_wait))),
            Row((Cell(self.w("wait_value")), self.drawn(found.value, "waiting.value")), "strong"),
        ]
        notes = (Cell(self._then(found)),)
        heads = self.head("choice", "npv")
        return Table(self.w("t_waiting"), heads, tuple(rows), notes=notes, titled=True)

    def _then(self, found: Waiting) -> str:
        w = self.w
        if found.buy_above is None:
            return w("wait_never")
        above = w.of("rent", Decimal(repr(found.buy_above)))
        likely = w.percent(Decimal(repr(found.buys_then)), 0)
        return w("wait_above", above=above, likely=likely,
                 volatility=w.percent(Decimal(repr(found.volatility)), 0))  # fmt: skip
