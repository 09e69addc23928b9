"""Workbooks of the cases, and what in them is not what Python finds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from review_cases import BASE, HOSTILE, NODE, questions, tiny
from spreadsheet import cell, opened

from optimizer.review.workbook.book import workbook
from optimizer.review.workbook.checks import WORDS
from optimizer.review.workbook.outcomes import outcomes

CASES = ("tiny", "everything", "persona", "base", "full")


@cache
def made(case):
    return workbook(*questions()[case])


def written(case):
    return opened(made(case))


def differs(book, question):
    """Outputs of a workbook that are not what Python finds, within 1e-6."""
    found = []
    for outcome in outcomes(question):
        shown = cell(book, f"out_{outcome.name}").value
        if outcome.value is None:
            same = shown == WORDS[outcome.metric.code]
        else:
            expected = float(outcome.value)
            same = isinstance(shown, int | float) and abs(shown - expected) <= 1e-6 * max(
                1, abs(expected)
            )
        if not same:
            found.append((outcome.name, shown, outcome.value))
    return found


def hostile():
    lot = replace(
        NODE, node="8xRTX4090", price_source="+1+1", price_quoted="@SUM(A1)",
        quote=replace(NODE.quote, name=HOSTILE, provider="-2+3", source="=HYPERLINK(\"x\")"),
    )  # fmt: skip
    plan, _ = tiny()
    rental = replace(plan.rentals[0], offer=HOSTILE, provider="\u202eabc", source="http://x/?=1")
    named = replace(plan, name=HOSTILE, rentals=(rental,))
    return workbook(replace(BASE, title=HOSTILE, lots=(lot,)), named)
