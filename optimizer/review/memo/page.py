"""The memo as one HTML file: no request leaves it, nothing in it runs but our own script."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from optimizer.report.plan_json import tool_version
from optimizer.review.memo import charts
from optimizer.review.memo.levers import levers
from optimizer.review.memo.memo import Memo
from optimizer.review.memo.palette import css
from optimizer.review.memo.sayings import Sayings
from optimizer.review.memo.script_model import script_model
from optimizer.review.memo.swing_tables import SwingTables
from optimizer.review.memo.tables import Tables
from optimizer.review.memo.terms import terms_table
from optimizer.review.memo.words import Lang, Words
from optimizer.review.workbook.texts import inert

LIVE = (("npv", "amount"), ("break_even_use", "share"), ("break_even_rent", "rent"),
        ("payback", "months"), ("cash_at_risk", "amount"))  # fmt: skip
"""Answers that follow the sliders, with their form."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture with a name for those who do not see it."""

    label: str
    svg: Markup


def memo_html(memo: Memo, lang: Lang = Lang.EN, *, static: bool = False) -> str:
    """The whole page.

    Args:
        static: without any script; the sliders are left out.
    """
    words = Words(lang, memo.plan.currency)
    script = Markup("" if static else _file("memo.js"))
    return rendered(
        "memo.html", _context(memo, words), script, static=static,
        model=_embedded(script_model(memo, words, LIVE)),
    )  # fmt: skip


def rendered(name: str, context: dict[str, Any], script: str = "", **more: Any) -> str:
    """A page of this package, with its style and what it may run."""
    style = Markup(css() + _file("memo.css"))
    return _environment().get_template(name).render(
        **context, **more, style=style, script=script, policy=_policy(style, script),
        version=tool_version(),
    )  # fmt: skip


def _context(memo: Memo, words: Words) -> dict[str, Any]:
    tables, say, base = Tables(memo, words), Sayings(memo, words), memo.base
    swings = SwingTables(memo, words)
    factors = charts.even_curve_factors(base)
    even = base.outcomes["break_even_use"].value

    def drawn(name: str, svg: Markup) -> Drawn:
        return Drawn(words(f"h_{name}"), svg)

    return {
        "w": words, "memo": memo, "plan": memo.plan, "q": memo.question, "base": base,
        "d": memo.decision, "until": memo.decision.until, "live": LIVE,
        "levers": levers(memo.what_if),
        "asked": say.asked(), "because": say.because(), "signed": say.signed(),
        "cautions": say.cautions(),
        "valid_note": say.valid_note(), "flip_note": say.flip_note(), "vat": say.vat(),
        "warnings": say.warnings(),
        "command": say.command(), "calendar_note": say.calendar_note(),
        "bullet": charts.bullet(base.known("utilisation"), even, words),
        "crossover": drawn("crossover", charts.crossover(base, words)),
        "even": drawn("explore", charts.even_curve(base, words)),
        "tornado": drawn(
            "tornado", charts.tornado_chart(memo.study.tornado.bars, memo.npv, words)
        ),
        "spread": drawn("likely", charts.spread(memo.study.monte_carlo, words)),
        "calendar": drawn("calendar", charts.calendar(memo.plan, words)),
        "three": tables.three(), "ladder": tables.ladder(), "metrics": tables.metrics(),
        "taxes": tables.taxes(), "commitments": terms_table(tables, memo.terms),
        "cash": tables.cash(), "crossover_data": tables.crossover(),
        "even_data": swings.even(factors[::4]), "tornado_data": swings.tornado(),
        "spread_data": swings.spread(),
        "likely_tables": [t for t in (swings.scenarios(), swings.waiting()) if t is not None],
        "drawn_from": swings.drawn_from(), "likely": say.likely(),
        "flip_at": say.flip_at(), "flip_change": say.flip_change(),
        "two_way": swings.two_way(), "regime": swings.regime(),
        "calendar_data": tables.calendar(),
        "plan_tables": [t for t in (tables.bought(), tables.rented()) if t is not None],
        "register": say.register(), "rejected": say.rejected(),
        "checks": say.checks(memo.checks, "tolerance"), "origin": say.origin(),
    }  # fmt: skip


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("optimizer.review.memo"),
        autoescape=select_autoescape(default=True),
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


LONGEST = 600
"""Characters of a text: sentences of the optimiser are longer than names may be."""


def _shown(value: object) -> object:
    """Without control or direction marks, and of bounded length; then jinja escapes it."""
    if type(value) is not str:
        return value
    # A blank at the end parts a text from the figure after it.
    return inert(value, LONGEST) + (" " if value.endswith(" ") else "")


@cache
def _file(name: str) -> str:
    place = files("optimizer.review.memo") / "templates" / name
    return place.read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing from anywhere but the style and the script in the page, by their hashes."""
    rules = ["default-src 'none'", f"style-src {_hash(style)}", "base-uri 'none'",
             "form-action 'none'"]  # fmt: skip
    if script:
        rules.append(f"script-src {_hash(script)}")
    return "; ".join(rules)


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _embedded(value: dict[str, Any]) -> Markup:
    """JSON inside a script element: what could end the element is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    for character, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"),
                               ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):  # fmt: skip
        text = text.replace(character, escaped)
    return Markup(text)


def _plain(value: object) -> float | str:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
