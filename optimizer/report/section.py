"""A part of a report, before it is put on a terminal or into Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.report.tables import Column

Columns = Sequence[str | Column]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table, block of text, or both, with remarks below."""

    title: str
    columns: Columns = ()
    rows: Sequence[Sequence[str]] = ()
    block: str = ""
    """Text whose columns must stay aligned."""
    notes: Sequence[str] = ()
    aside: bool = False
    """Left folded away where the reader can unfold it."""
