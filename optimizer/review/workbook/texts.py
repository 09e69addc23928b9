"""Text of strangers, made harmless to show: a provider may call its machine ``=cmd()``."""

from __future__ import annotations

import unicodedata

LONGEST = 250
"""Characters of a cell; a spreadsheet cuts names off only at 32,767."""
FORMULA_STARTS = ("=", "+", "-", "@")
_ALLOWED = {"\n": " ", "\t": " ", "\r": " "}


def inert(text: object, longest: int = LONGEST) -> str:
    """One line without control or direction marks, of bounded length.

    >>> inert("a\\tb\\u202ecod.exe")
    'a bcod.exe'
    """
    shown = (_ALLOWED.get(char, "" if _is_mark(char) else char) for char in str(text)[:10_000])
    line = " ".join("".join(shown).split(" ")).strip()
    return line if len(line) <= longest else f"{line[: longest - 2]} …"


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet would read it as a formula if it were typed in."""
    return text.startswith(FORMULA_STARTS)


def _is_mark(char: str) -> bool:
    """Control characters, direction and zero-width marks, lone halves of pairs, unassigned."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")
