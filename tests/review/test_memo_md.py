"""The memo as Markdown: short, whole, and harmless in a comment."""

from __future__ import annotations

import re

import pytest
from memos import hostile, memo
from review_cases import HOSTILE

from optimizer.report.plan_json import plan_sha256
from optimizer.review.memo.markdown import MARKER, memo_md
from optimizer.review.memo.words import Lang, Words


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("case", ["tiny", "everything"])
def test_a_comment_says_decision_figures_flip_and_checks(case, lang):
    made, words = memo(case), Words(lang, "CNY")
    text = memo_md(made, lang)
    assert text.startswith(f"{MARKER}\n## ")
    assert len(text) < 6_000
    verdict = words("verdict_buy" if made.decision.buys else "verdict_rent")
    assert f"**{verdict}{words('stop')}**" in text
    assert words.money(made.npv, sign=True) in text
    assert made.decision.flip is not None
    assert words(f"swing_{made.decision.flip.span.driver}") in text
    assert words("checks_hold", n=len(made.checks)) in text
    assert plan_sha256(made.plan) in text


@pytest.mark.parametrize("lang", list(Lang))
def test_tables_have_as_many_cells_in_each_row_as_in_their_head(lang):
    for made in (memo("everything"), hostile()):
        width = 0
        for line in memo_md(made, lang).splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            width = (width or cells) if cells else 0
            assert cells == width, line


def test_names_of_others_are_no_markup_no_mention_and_no_link():
    text = memo_md(hostile())
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\u202e" not in text
    assert "\x07" not in text
    assert "\\[red\\]" in text
    assert len(text) < 12_000
    assert HOSTILE not in text
    from optimizer.review.memo.markdown import text_md

    assert text_md("@all see http://x and #1, ![i](u)") == (
        "@\u2060all see http:\u2060//x and \\#1, \\!\\[i\\](u)"
    )
