"""What the memo says of a plan, whatever it weighs: what was ruled out, checks, the origin."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from decimal import Decimal

from optimizer.plans import Plan
from optimizer.report.gantt import unit_of
from optimizer.report.money_text import why_none
from optimizer.report.plan_json import plan_sha256, tool_version
from optimizer.report.plan_why import rejected
from optimizer.review.memo.check import TOLERANCE, Check
from optimizer.review.memo.plan_tables import Cell, PlanTables, Row, Table
from optimizer.review.memo.words import Words

MOST_ROWS = 40
"""Of what the optimiser ruled out; the rest is counted."""


class PlanSayings:
    """Of any plan, in one language."""

    def __init__(self, plan: Plan, tables: PlanTables, words: Words) -> None:
        self.plan, self.tables, self.w = plan, tables, words

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

    def checks(self, checks: Sequence[Check], tolerance: str) -> Table:
        rows = [
            Row((
                Cell(self.w(f"check_{check.name}"), "wide"),
                Cell(f"{check.apart:.1E}" if check.apart else "0", "n"),
                Cell(self.w("holds" if check.holds else "fails"), "good" if check.holds else "bad"),
            ))
            for check in checks
        ]  # fmt: skip
        heads = (Cell(self.w("col_check")), Cell(self.w("col_apart"), "n"),
                 Cell(self.w("col_result")))  # fmt: skip
        notes = (Cell(self.w(tolerance, tolerance=f"{TOLERANCE:f}")),)
        return Table(self.w("h_checks"), heads, tuple(rows), notes=notes)

    def checked(self, checks: Sequence[Check]) -> str:
        """Whether all hold, in a sentence."""
        failed = [check.name for check in checks if not check.holds]
        names = self.w("comma").join(self.w(f"check_{name}") for name in failed)
        return self.w("checks_fail" if failed else "checks_hold", n=len(checks), names=names)

    def origin(self) -> Table:
        rows = [Row((Cell(self.w(f"origin_{name}")), Cell(text, "wide code")))
                for name, text in self._origin()]  # fmt: skip
        heads = (Cell(self.w("col_what")), Cell(self.w("col_value")))
        return Table(self.w("h_repeat"), heads, tuple(rows))

    def _origin(self) -> Iterator[tuple[str, str]]:
        plan = self.plan
        yield "version", f"rentopt {tool_version()}"
        yield "schedule", f"{plan.schedule}, SHA-256 {plan.schedule_sha256}"
        yield "plan", f"SHA-256 {plan_sha256(plan)}"
        for source in plan.price_sources:
            yield "prices", f"{source.name}, SHA-256 {source.sha256}"
        known = plan.prices_known_at
        yield "as_of", plan.as_of.isoformat() + (f", {known.isoformat()}" if known else "")
        yield "fx", "; ".join(plan.fx) or self.w("no_fx")
        yield "gap", self.w("gap_of", gap=self.tables.above(plan.npv, plan.bound))

    def warnings(self) -> list[Cell]:
        return [self.tables.quoted(line) for line in self.plan.warnings]

    def command(self) -> list[str]:
        plan = shlex.quote(self.plan.schedule)
        language = "" if self.w.lang == "en" else f" --lang {self.w.lang}"
        options = "".join(f" {option}" for option in self.plan.options)
        return [
            f"rentopt plan {plan} --as-of {self.plan.as_of}{options} --format json -o plan.json",
            f"rentopt review plan.json --format html{language} -o memo.html",
        ]
