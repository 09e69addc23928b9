"""Text of strangers, made harmless to show: a provider may call its machine ``=cmd()``."""

from __future__ import annotations

from optimizer.report.texts import plain, starts_formula

__all__ = ["LONGEST", "inert", "starts_formula"]

LONGEST = 250
"""Characters of a cell; a spreadsheet cuts names off only at 32,767."""


def inert(text: object, longest: int = LONGEST) -> str:
    """One line without control or direction marks, of bounded length.

    >>> inert("a\\tb\\u202ecod.exe")
    'a bcod.exe'
    """
    return plain(text, longest).strip()
