"""The memo as a comment: decision, figures, what flips it, checks."""

from __future__ import annotations

import html

from optimizer.report.tables import Column, render
from optimizer.review.memo.memo import Memo
from optimizer.review.memo.plan_sayings import PlanSayings
from optimizer.review.memo.plan_tables import Table
from optimizer.review.memo.sayings import Sayings
from optimizer.review.memo.swing_tables import SwingTables
from optimizer.review.memo.terms import terms_table
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
    verdict = words("verdict_buy" if memo.decision.buys else "verdict_rent") + words("stop")
    columns = ["", words("col_value"), words("col_meaning")]
    rows = [[text_md(cell) for cell in row] for row in say.headlines()]
    more = (tables.taxes(), terms_table(tables, memo.terms))
    return "\n".join((
        f"{MARKER}\n## {text_md(words('title', name=memo.plan.name))}\n",
        f"{text_md(say.asked())}\n",
        f"**{verdict}** {text_md(f'{say.because()} {say.signed()}'.rstrip())}\n",
        *(f"> **{text_md(line)}**\n" for line in say.cautions()),
        render(columns, rows, "md"),
        f"### {words('h_answers')}\n\n{table_md(tables.three())}",
        *(f"### {table.caption}\n\n{table_md(table)}" for table in more if table is not None),
        f"### {words('h_tornado')}\n\n{table_md(tables.tornado())}",
        f"{text_md(say.checked(memo.checks))}\n",
        f"{text_md(words('sign', currency=words.unit, vat=say.vat()))}\n",
        origin_md(say),
    ))  # fmt: skip


def table_md(table: Table) -> str:
    columns = [Column(text_md(head.text) or " ", right=head.kind.startswith("n"))
               for head in table.heads]  # fmt: skip
    lines = table.rows if table.foot is None else (*table.rows, table.foot)
    rows = [[text_md(cell.text) for cell in row.cells] for row in lines]
    notes = ""
    for note in table.notes:  # what a colon announces goes on in the same line
        notes += (" " if notes.endswith((":", "：")) else "\n- ") + text_md(note.text)
    return render(columns, rows, "md") + (f"{notes}\n" if notes else "")


def origin_md(say: PlanSayings) -> str:
    """What is to be known before signing, and where all of it comes from, folded away."""
    warned = "".join(f"\n- {text_md(line.text)}" for line in say.warnings())
    warnings = f"### {say.w('warnings')}\n{warned}\n\n" if warned else ""
    commands = "\n".join(html.escape(inert(line, LONGEST)) for line in say.command())
    return (
        f"{warnings}<details><summary>{say.w('h_repeat')}</summary>\n\n{table_md(say.origin())}\n"
        f"<pre>{commands}</pre>\n\n</details>\n"
    )


def text_md(text: str) -> str:
    """Markup, mentions and links of others are shown as what they are; no marks of direction."""
    text = inert(text, LONGEST).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\*_`[]#~!":
        text = text.replace(character, f"\\{character}")
    # A word joiner keeps a name from being called, and an address from becoming a link.
    return text.replace("@", "@\u2060").replace("://", ":\u2060//")
