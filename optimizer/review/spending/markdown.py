"""The spending memo as a comment."""

from __future__ import annotations

from optimizer.report.tables import render
from optimizer.review.memo.markdown import MARKER, origin_md, table_md, text_md
from optimizer.review.memo.words import Lang, Words
from optimizer.review.spending.spending import Spending
from optimizer.review.spending.told import SpendingSayings


def spending_md(spending: Spending, lang: Lang = Lang.EN) -> str:
    words = Words(lang, spending.plan.currency)
    say = SpendingSayings(spending, words)
    rows = [[text_md(cell) for cell in (name, value, note)]
            for name, value, note, _, _ in say.headlines()]  # fmt: skip
    valid = (words("kpi_valid"), words.day(spending.until.day), say.valid_note())
    rows.append([text_md(cell) for cell in valid])
    title = words("spend_title", name=spending.plan.name)
    tables = (
        (words("h_commitments"), say.commitments()),
        (words("h_bill"), say.bill()),
        (words("h_cash"), say.cash()),
    )
    return "\n".join((
        f"{MARKER}\n## {text_md(title)}\n",
        f"{text_md(say.asked())}\n",
        f"**{say.verdict()}{words('stop')}**\n",
        *(f"{text_md(line)}\n" for line in say.because()),
        *(f"> **{text_md(line)}**\n" for line in say.cautions()),
        render(["", words("col_value"), words("col_meaning")], rows, "md"),
        *(f"### {head}\n\n{table_md(table)}" for head, table in tables if table is not None),
        f"{text_md(say.checked(spending.checks))}\n",
        f"{text_md(say.sign())}\n",
        origin_md(say),
    ))  # fmt: skip
