"""A schedule as the planner uses it: the document, where it came from, and its days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.schedule.document import Horizon, ScheduleDocument
from providers.errors import Fault

if TYPE_CHECKING:
    from optimizer.sizing.measured.inference import InferenceRow


def first_and_last(horizon: Horizon) -> tuple[date, date]:
    """The first and the last day that a checked `horizon` section covers, both included."""
    if horizon.end is not None:
        return horizon.start, horizon.end
    return horizon.start, horizon.start + timedelta((horizon.days or 1) - 1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A document whose every rule holds."""

    document: ScheduleDocument
    source: str
    """Name of the file, as given."""
    sha256: str
    """Of the file's bytes, and of those of the histograms and measurements it names."""
    folder: Path
    """Where relative paths in the document start."""
    notes: tuple[Fault, ...] = ()
    """What is no fault but may not be meant, with its place."""
    bucket_places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service → file, line and column of each size of its requests."""
    own_rows: tuple[InferenceRow, ...] = ()
    """Speeds the user measured; they go before published ones."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes as lines of text."""
        return tuple(str(note) for note in self.notes)

    @property
    def first_day(self) -> date:
        return first_and_last(self.document.horizon)[0]

    @property
    def last_day(self) -> date:
        """Included."""
        return first_and_last(self.document.horizon)[1]

    @property
    def n_days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    @property
    def currency(self) -> str:
        return self.document.currency

    @property
    def quotes(self) -> tuple[Path, ...]:
        """The quotes files, from `folder`."""
        return tuple(self.folder / path for path in self.document.market.quotes)
