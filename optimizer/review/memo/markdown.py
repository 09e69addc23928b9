"""The memo as a comment: decision, figures, what flips it, checks."""

from __future__ import annotations

from optimizer.report.tables import Column, render
from optimizer.review.memo.memo import Memo
from optimizer.review.memo.sayings import Sayings
from optimizer.review.memo.swing_tables import SwingTables
from optimizer.review.memo.tables import Table
from optimizer.review.memo.words import Lang, Words
from optimizer.review.workbook.texts import inert

MARKER = "<!-- rentopt review -->"
"""Invisible; by it a bot finds the comment it wrote before."""
LONGEST = 400
"""Characters of a text that somebody else may have written."""


def memo_md(memo: Memo, lang: Lang = Lang.EN) -> str:
    """Short enough to be read as a comment; the rest is in the HTML memo and the workbook."""
    words = Words(lang, memo.plan.currency)
    say, tables = Sayings(memo, words), SwingTables(memo, words)
    failed = [check.name for check in memo.checks if not check.holds]
    checked = words(
        "checks_fail" if failed else "checks_hold", n=len(memo.checks),
        names=words("comma").join(words(f"check_{name}") for name in failed),
    )  # fmt: skip
    verdict = words("verdict_buy" if memo.decision.buys else "verdict_rent") + words("stop")
    columns = ["", words("col_value"), words("col_meaning")]
    rows = [[_text(cell) for cell in row] for row in say.headlines()]
    return "\n".join((
        f"{MARKER}\n## {_text(words('title', name=memo.plan.name))}\n",
        f"{_text(say.asked())}\n",
        f"**{verdict}** {_text(say.because())}\n",
        *(f"> **{_text(line)}**\n" for line in say.cautions()),
        render(columns, rows, "md"),
        f"### {words('h_answers')}\n\n{_table(tables.three())}",
        f"### {words('h_tornado')}\n\n{_table(tables.tornado())}",
        f"{_text(checked)}\n",
        f"{_text(words('sign', currency=words.unit, vat=say.vat()))}\n",
        f"<details><summary>{words('h_repeat')}</summary>\n\n{_table(say.origin())}\n</details>\n",
    ))  # fmt: skip


def _table(table: Table) -> str:
    columns = [Column(_text(head.text) or " ", right=head.kind.startswith("n"))
               for head in table.heads]  # fmt: skip
    rows = [[_text(cell.text) for cell in row.cells] for row in table.rows]
    notes = "".join(f"\n- {_text(note.text)}" for note in table.notes)
    return render(columns, rows, "md") + (f"{notes}\n" if notes else "")


def _text(text: str) -> str:
    """Markup, mentions and links of others are shown as what they are; no marks of direction."""
    text = inert(text, LONGEST).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\*_`[]#~!":
        text = text.replace(character, f"\\{character}")
    # A word joiner keeps a name from being called, and an address from becoming a link.
    return text.replace("@", "@\u2060").replace("://", ":\u2060//")
