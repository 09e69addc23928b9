"""Text of strangers, made harmless: a provider may call its machine ``=cmd()`` or hide a mark."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 1000
"""Characters of a cell in a table for people."""
MOST_READ = 10_000
_BLANK = {"\n": " ", "\t": " ", "\r": " "}
_FORMULA_STARTS = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?( ?%)?")


def plain(text: object, longest: int = LONGEST) -> str:
    """One line without control or direction marks, of bounded length.

    >>> plain("a\\tb\\u202ecod.exe")
    'a bcod.exe'
    """
    cut = str(text)[:MOST_READ]
    if not cut.isascii() or not cut.isprintable():
        shown = (_BLANK.get(char, "" if _is_mark(char) else char) for char in cut)
        cut = "".join(shown)
    return cut if len(cut) <= longest else f"{cut[: longest - 2]} …"


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet would read it as a formula if it were typed in."""
    return text.startswith(_FORMULA_STARTS)


def csv_cell(text: str) -> str:
    """With an apostrophe before what a spreadsheet would take for a formula; numbers stay.

    >>> csv_cell("=cmd()"), csv_cell("-4.20"), csv_cell("-2+3")
    ("'=cmd()", '-4.20', "'-2+3")
    """
    formula = starts_formula(text) and text != "-" and not _NUMBER.fullmatch(text)
    return f"'{text}" if formula else text


def _is_mark(char: str) -> bool:
    """Control characters, direction and zero-width marks, lone halves of pairs, unassigned."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")
