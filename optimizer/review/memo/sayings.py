"""What the memo says in sentences, and the tables that are mostly words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from decimal import Decimal

from optimizer.report.gantt import unit_of
from optimizer.report.money_text import why_none
from optimizer.report.plan_json import tool_version
from optimizer.report.plan_why import rejected
from optimizer.review.memo.memo import TOLERANCE, Memo
from optimizer.review.memo.register import Assumption
from optimizer.review.memo.studied import FORMS, change
from optimizer.review.memo.tables import Cell, Row, Table, Tables, whole
from optimizer.review.memo.words import NONE, Words

MOST_ROWS = 40
"""Of what the optimiser ruled out; the rest is counted."""


class Sayings:
    def __init__(self, memo: Memo, words: Words) -> None:
        self.memo, self.w, self.tables = memo, words, Tables(memo, words)
        self.plan, self.q, self.decision = memo.plan, memo.question, memo.decision

    # -- the first page --------------------------------------------------------------------------

    def nodes(self) -> str:
        return self.w("comma").join(f"{n} × {node}" for n, node in self.decision.nodes)

    def asked(self) -> str:
        d = self.decision
        return self.w(
            "asked_buy" if d.buys else "asked_weigh", nodes=self.nodes(), gpus=d.gpus,
            amount=self.w.money(d.capex), day=self.w.day(d.paid),
        )  # fmt: skip

    def because(self) -> str:
        npv = self.memo.npv
        return self.w(
            "because_buy" if npv > 0 else "because_rent", npv=self.w.money(abs(npv)),
            rate=self.w.percent(self.q.rate), days=self.w.number(Decimal(self.q.days)),
            rent=self.w.of("rent", self.memo.base.mean_rent),
        )  # fmt: skip

    def cautions(self) -> list[str]:
        found = []
        if not self.decision.agrees:
            key = "disagrees_buy" if self.decision.buys else "disagrees_rent"
            found.append(self.w(key))
        if self.decision.expired(self.plan.as_of):
            found.append(self.w("expired"))
        if self.decision.draft:
            found.append(self.w("draft_why"))
        if self.decision.unproven is not None:
            amount = self.w.money(self.decision.unproven)
            found.append(self.w("unproven", amount=amount))
        return found

    def valid_note(self) -> str:
        until = self.decision.until
        subject = until.subject
        if until.why == "default":
            subject = self.w(f"assumption_{subject}")
        return self.w(f"until_{until.why}", subject=subject)

    def flip_note(self) -> str:
        """Without the value itself, which comes after it."""
        flip = self.decision.flip
        if flip is None:
            return self.w("flip_none")
        now = self.w.of(FORMS[flip.span.driver], flip.span.base)
        return self.w("flip_buy" if self.memo.npv > 0 else "flip_rent", now=now)

    def flip_at(self) -> str:
        flip = self.decision.flip
        if flip is None or flip.flip is None:
            return ""
        return self.w.of(FORMS[flip.span.driver], flip.flip)

    def flip_change(self) -> str:
        flip = self.decision.flip
        return "" if flip is None else self.w.percent(change(flip), 0, sign=True)

    def likely(self) -> str:
        """What random draws say of NPV, in a sentence."""
        drawn, w = self.memo.study.monte_carlo, self.w
        low, high = (w.money(whole(drawn.quantile(q)), sign=True) for q in (0.1, 0.9))
        wins = w.percent(Decimal(repr(drawn.buying_wins)))
        return w("likely", low=low, high=high, wins=wins)

    def headlines(self) -> Iterator[tuple[str, str, str]]:
        """(what, value, remark) of the first page."""
        w, base, d = self.w, self.memo.base, self.decision
        rate = w.percent(self.q.rate)
        yield w("kpi_npv"), w.money(self.memo.npv, sign=True), w("kpi_npv_note", rate=rate)
        yield w("kpi_likely"), "", self.likely()
        yield w("kpi_risk"), w.money(base.known("cash_at_risk")), w("kpi_risk_note")
        even = base.outcomes["break_even_use"].metric
        used = w("kpi_planned") + w.percent(base.known("utilisation"))
        shown = w(f"code_{even.code}") if even.value is None else w.percent(even.value)
        yield w("kpi_even"), shown, used
        if d.flip is None:
            yield w("kpi_flip"), w("none"), w("flip_none")
        else:
            name = w(f"swing_{d.flip.span.driver}")
            yield w("kpi_flip"), name, f"{self.flip_note()}{self.flip_at()} ({self.flip_change()})"
        yield w("kpi_valid"), w.day(d.until.day), self.valid_note()

    def vat(self) -> str:
        return self.w(f"vat_{self.memo.vat}")

    # -- the plan --------------------------------------------------------------------------------

    def calendar_note(self) -> str:
        return self.w(f"calendar_{unit_of(self.plan.n_days)}")

    def rejected(self) -> list[Table]:
        tables = [self._alternatives(), self._ruled_out(), self._left_out()]
        return [table for table in tables if table is not None]

    def _alternatives(self) -> Table | None:
        """Plans that cost more than the one chosen."""
        rows = []
        best = self.plan.answer("mix")
        for answer in self.plan.answers:
            if answer is best:
                continue
            if answer.npv is None:
                extra, why = None, self.tables.quoted(why_none(answer), "wide")
            elif best.npv is None or answer.npv == best.npv:
                continue
            else:
                extra, why = answer.npv - best.npv, Cell(self.w("dearer"), "wide")
            name = Cell(self.w(f"answer_{answer.kind}"))
            rows.append(Row((name, self.tables.money(extra, sign=True), why)))
        rows += [
            Row((self.tables.quoted(other.asked), self.tables.money(other.extra, sign=True),
                 self.tables.quoted(other.differs, "wide")))
            for other in self.plan.alternatives
        ]  # fmt: skip
        rows += [
            Row((self.tables.quoted(other.name), self.tables.money(other.extra, sign=True),
                 self.tables.quoted(other.answer, "wide")))
            for other in self.plan.why_not if not other.used
        ]  # fmt: skip
        if not rows:
            return None
        heads = (*self.tables.head("alternative", "extra"), Cell(self.w("col_why")))
        return Table(self.w("t_alternatives"), heads, tuple(rows), titled=True)

    def _ruled_out(self) -> Table | None:
        section = rejected(self.plan)
        rows = [
            Row((Cell(str(workload)), self.tables.quoted(str(reason)), Cell(str(number), "n"),
                 self._named(str(names))))
            for workload, reason, number, names in section.rows[:MOST_ROWS]
        ]  # fmt: skip
        if not rows:
            return None
        heads = (*(Cell(self.w(f"col_{k}")) for k in ("workload", "why")),
                 Cell(self.w("col_kinds"), "n"), Cell(self.w("col_hardware")))  # fmt: skip
        more = len(section.rows) - len(rows)
        notes = (Cell(self.w("more_rows", n=more)),) if more > 0 else ()
        return Table(self.w("t_ruled_out"), heads, tuple(rows), notes=notes, titled=True)

    def _named(self, names: str) -> Cell:
        """Some names, and how many more there are."""
        return self.tables.quoted(names, "wide") if " more" in names else Cell(names, "wide")

    def _left_out(self) -> Table | None:
        order = sorted(self.plan.excluded, key=lambda item: (-item[1], item[0]))
        rows = [Row((self.tables.quoted(reason), Cell(self.w.number(Decimal(n)), "n")))
                for reason, n in order]  # fmt: skip
        if not rows:
            return None
        return Table(
            self.w("t_left_out"), self.tables.head("reason", "offers"), tuple(rows), titled=True
        )

    # -- where it comes from ---------------------------------------------------------------------

    def register(self) -> Table:
        rows = [self._assumption(row) for row in self.memo.assumptions]
        heads = (
            *(Cell(self.w(f"col_{k}"), kind) for k, kind in (
                ("rank", "n"), ("assumption", ""), ("value", "n"))),
            Cell(self.w("col_effect", currency=self.w.unit), "n"),
            *(Cell(self.w(f"col_{k}")) for k in ("set_by", "source", "seen", "snapshot")),
        )  # fmt: skip
        return Table(self.w("h_register"), heads, tuple(rows), kind="dense")

    def _assumption(self, row: Assumption) -> Row:
        name = self.w(f"assumption_{row.name}")
        named = self.w("of", what=name, whose=row.subject) if row.subject else name
        seen = NONE if row.observed_at is None else self.w.day(row.observed_at)
        set_by = self.w(f"set_{row.set_by}")
        source = self.tables.quoted(row.source, "wide") if row.source else Cell(
            self._own_source(row), "wide")  # fmt: skip
        return Row((
            Cell(str(row.rank), "n"), Cell(named, "wide"),
            Cell(self.w.of(row.form, row.value), "n", row.key, row.value),
            self.tables.money(row.effect), Cell(set_by), source, Cell(seen, "day"),
            Cell(row.snapshot or NONE, "wide"),
        ), "default" if row.set_by == "default" else "")  # fmt: skip

    def _own_source(self, row: Assumption) -> str:
        if row.set_by == "file":
            return self.plan.schedule
        return self.w(f"source_{row.set_by}")

    def checks(self) -> Table:
        rows = [
            Row((
                Cell(self.w(f"check_{check.name}"), "wide"),
                Cell(f"{check.apart:.1E}" if check.apart else "0", "n"),
                Cell(self.w("holds" if check.holds else "fails"), "good" if check.holds else "bad"),
            ))
            for check in self.memo.checks
        ]  # fmt: skip
        heads = (Cell(self.w("col_check")), Cell(self.w("col_apart"), "n"),
                 Cell(self.w("col_result")))  # fmt: skip
        notes = (Cell(self.w("tolerance", tolerance=f"{TOLERANCE:f}")),)
        return Table(self.w("h_checks"), heads, tuple(rows), notes=notes)

    def origin(self) -> Table:
        rows = [Row((Cell(self.w(f"origin_{name}")), Cell(text, "wide code")))
                for name, text in self._origin()]  # fmt: skip
        heads = (Cell(self.w("col_what")), Cell(self.w("col_value")))
        return Table(self.w("h_repeat"), heads, tuple(rows))

    def _origin(self) -> Iterator[tuple[str, str]]:
        plan = self.plan
        yield "version", f"rentopt {tool_version()}"
        yield "schedule", f"{plan.schedule}, SHA-256 {plan.schedule_sha256}"
        yield "plan", f"SHA-256 {self.memo.plan_sha256}"
        for source in plan.price_sources:
            yield "prices", f"{source.name}, SHA-256 {source.sha256}"
        known = plan.prices_known_at
        yield "as_of", plan.as_of.isoformat() + (f", {known.isoformat()}" if known else "")
        yield "fx", "; ".join(plan.fx) or self.w("no_fx")
        yield "gap", self.w("gap_of", gap=self.w.percent(Decimal(repr(plan.gap)), 2))

    def warnings(self) -> list[Cell]:
        return [self.tables.quoted(line) for line in self.plan.warnings]

    def command(self) -> list[str]:
        plan = shlex.quote(self.plan.schedule)
        language = "" if self.w.lang == "en" else f" --lang {self.w.lang}"
        return [
            f"rentopt plan {plan} --as-of {self.plan.as_of} --format json -o plan.json",
            f"rentopt review plan.json --format html{language} -o memo.html",
        ]
