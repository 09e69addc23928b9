"""Run a sweep: plan what is not there yet, and keep each result as soon as it is there."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from optimizer.sweep.backends import Backend
from optimizer.sweep.cases import Case, Cases
from optimizer.sweep.load import Edits
from optimizer.sweep.results import Results
from optimizer.sweep.rows import Row

CHUNK = 500
"""Cases that are looked up at once."""


@dataclass(slots=True)
class Tally:
    """How far a sweep is."""

    total: int
    kept: int = 0
    """Found among the results of earlier runs."""
    planned: list[str] = field(default_factory=list)
    """Keys of cases planned by this run; the last may not be kept yet when Ctrl-C comes."""
    seconds: list[float] = field(default_factory=list)
    """What each planned case took."""

    @property
    def done(self) -> int:
        return self.kept + len(self.planned)

    def left_s(self, workers: int) -> float | None:
        """About how long the rest takes, from the cases so far; None if there is none."""
        if not self.seconds:
            return None
        return statistics.fmean(self.seconds) * (self.total - self.done) / workers


def kept_of(tally: Tally, results: Results) -> int:
    """How many cases are kept: a row may be there though Ctrl-C came before it was counted."""
    return tally.kept + len(results.done(tally.planned))


Told = Callable[[Tally], None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What there is to do."""

    rows: dict[int, Row]
    """Number of the case → its row, where it is known."""
    tally: Tally


def count(cases: Cases, results: Results, *, again: bool = False) -> Counted:
    """Find the cases that are finished already, and those whose values make no schedule."""
    rows: dict[int, Row] = {}
    tally = Tally(cases.sweep.n_cases)
    for chunk in _chunks(cases):
        keys = {}
        for number, edits in chunk:
            case = cases.case(number, edits)
            if isinstance(case, Case):
                keys[number] = case.key
            else:
                rows[number] = case
        known = {} if again else results.done(keys.values())
        rows |= {number: known[key] for number, key in keys.items() if key in known}
    tally.kept = len(rows)
    tally.seconds = [row["seconds"] for row in rows.values() if "seconds" in row]
    return Counted(rows, tally)


def _chunks(cases: Cases) -> Iterator[list[tuple[int, Edits]]]:
    chunk: list[tuple[int, Edits]] = []
    for number, edits in enumerate(cases.sweep.cases()):
        chunk.append((number, edits))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def run(
    cases: Cases,
    results: Results,
    backend: Backend,
    counted: Counted,
    told: Told = lambda tally: None,
    *,
    at_most: int | None = None,
) -> list[Row | None]:
    """Plan what is missing; the rows in the order of the cases, None where one is still missing.

    Args:
        counted: from `count`; its tally moves on.
        told: called after each finished case.
        at_most: stop after so many cases.
    """
    rows, tally = dict(counted.rows), counted.tally

    def missing() -> Iterator[Case]:
        given = 0
        for number, edits in enumerate(cases.sweep.cases()):
            if number in counted.rows:
                continue
            if given == at_most:
                return
            case = cases.case(number, edits)
            assert isinstance(case, Case), "a case that `count` found sound is sound"
            given += 1
            yield case

    told(tally)
    for case, row in backend.rows(missing(), cases.books, cases.sweep.document.options):
        tally.planned.append(case.key)
        results.put(case.key, row)
        rows[case.number] = row
        if "seconds" in row:
            tally.seconds.append(row["seconds"])
        told(tally)
    return [rows.get(number) for number in range(tally.total)]
