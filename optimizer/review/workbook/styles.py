"""How cells look: what may be changed, what is worked out, what comes from another sheet."""

from __future__ import annotations

from typing import Any

NUMBERS = {
    "amount": '#,##0.00;[Red]-#,##0.00;"-"',
    "price": "#,##0.0000",
    "share": "0.00%",
    "rate": "0.00%",
    "change": "0.00%",
    "count": "0",
    "days": "0.0",
    "date": "yyyy-mm-dd",
    "factor": "0.000000",
    "years": "0.0",
    "months": "0.00",
    "number": "General",
}
"""Form → number format."""
INPUT = {"font_color": "#0000FF", "bg_color": "#FFF9D6", "border": 1, "border_color": "#BFBFBF"}
LINKED = {"font_color": "#00682F"}
HEADING = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3B57"}
TITLE = {"bold": True, "font_size": 16, "font_color": "#1F3B57"}
STRONG = {"bold": True}
QUIET = {"font_color": "#595959", "italic": True}
REMARK = QUIET | {"indent": 1}
"""Quiet text beside a number."""
WRAP: dict[str, Any] = {"text_wrap": True, "valign": "top"}


class Styles:
    """Formats of one workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book, self._made = book, {}  # type: ignore[var-annotated]

    def __call__(self, form: str = "", **look: Any) -> Any:
        """A number form with a look, such as ``styles("amount", **INPUT)``."""
        wanted = dict(look)
        if form:
            wanted["num_format"] = NUMBERS[form]
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(wanted)
        return self._made[key]
