"""What the page's script works with: the question in plain numbers, and how to write answers."""

from __future__ import annotations

from typing import Any

from optimizer.review.memo.charts import CURVE_POINTS, LINES, WIDEST_RENT
from optimizer.review.memo.levers import levers
from optimizer.review.memo.memo import Memo
from optimizer.review.memo.svg import STEPS
from optimizer.review.memo.what_if import WhatIf
from optimizer.review.memo.words import MINUS, Words

_QUESTION = ("days", "rate", "pue", "tariff", "resale_cost", "rent_change")
_LOT = ("nodes", "gpus", "price", "paid", "usable", "sold", "residual", "maintenance", "hosting",
        "busy_kw", "idle_kw", "use", "rent")  # fmt: skip
_CODES = ("never", "never_used", "always", "nothing_invested")


def plain_question(what_if: WhatIf) -> dict[str, Any]:
    """A question as the script asks it."""
    q = what_if.question
    return {
        **{name: getattr(q, name) for name in _QUESTION},
        "lots": [
            {
                **{name: getattr(lot, name) for name in _LOT},
                "curve": [[month, share] for month, share in sorted(curve.items())],
            }
            for lot, curve in zip(q.lots, what_if.curves, strict=True)
        ],
    }


def script_model(memo: Memo, words: Words, live: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The names are those of `Question`, `Lot` and `Lever`."""
    base = memo.base
    return {
        "question": plain_question(memo.what_if),
        "levers": [
            {"name": lever.name, "form": lever.form, "now": lever.now, "step": lever.step}
            for lever in levers(memo.what_if)
        ],
        "live": [list(pair) for pair in live],
        "expected": {
            name: None if base.value(name) is None else base.known(name) for name, _ in live
        },
        "frame": {
            "width": LINES.width, "height": LINES.height, "left": LINES.left,
            "right": LINES.right, "top": LINES.top, "bottom": LINES.bottom, "steps": STEPS,
            "widest": WIDEST_RENT, "points": CURVE_POINTS, "rent": base.mean_rent,
        },
        "words": {
            "minus": MINUS, "unit": words.unit, "percent": words.percent_sign,
            "gpu_hour": words("gpu_hour"), "days": words("days"), "months": words("months"),
            "hover": words("hover"),
            "same": words("live_same"), "differs": words("live_differs"),
            "read_crossover": words("read_crossover"), "read_even": words("read_even"),
            "codes": {code: words(f"code_{code}") for code in _CODES},
        },
    }  # fmt: skip
