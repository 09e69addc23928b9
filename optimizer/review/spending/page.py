"""The spending memo: one HTML file, or a comment."""

from __future__ import annotations

from typing import Any

from optimizer.review.memo import charts
from optimizer.review.memo.page import Drawn, rendered
from optimizer.review.memo.words import Lang, Words
from optimizer.review.spending.spending import Spending
from optimizer.review.spending.told import SpendingSayings


def spending_html(spending: Spending, lang: Lang = Lang.EN) -> str:
    """The whole page; it has no script."""
    words = Words(lang, spending.plan.currency)
    return rendered("spending.html", _context(spending, words))


def _context(spending: Spending, words: Words) -> dict[str, Any]:
    say, plan = SpendingSayings(spending, words), spending.plan
    tables = (say.tables.bought(), say.tables.rented())
    return {
        "w": words, "plan": plan, "s": spending, "until": spending.until,
        "title": words("spend_title", name=plan.name),
        "asked": say.asked(), "verdict": say.verdict(), "because": say.because(),
        "cautions": say.cautions(), "headlines": list(say.headlines()),
        "valid_note": say.valid_note(), "sign": say.sign(),
        "commitments": say.commitments(), "bill": say.bill(), "workloads": say.workloads(),
        "cash": say.cash(),
        "calendar": Drawn(words("h_calendar"), charts.calendar(plan, words)),
        "calendar_note": say.calendar_note(), "calendar_data": say.tables.calendar(),
        "plan_tables": [table for table in tables if table is not None],
        "rejected": say.rejected(), "checks": say.checks(spending.checks, "spend_tolerance"),
        "warnings": say.warnings(), "origin": say.origin(), "command": say.command(),
    }  # fmt: skip
