"""What is known while a solver works, told to whoever listens, and the wish to stop early."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

INF = float("inf")


@dataclass(frozen=True, slots=True)
class Known:
    """The best cost found and the least cost proven so far; both present values."""

    objective: float = INF
    bound: float = -INF

    @property
    def gap(self) -> float:
        """(objective - bound) / objective; INF before both are there."""
        if INF in (self.objective, -self.bound):
            return INF
        return max(0.0, self.objective - self.bound) / max(abs(self.objective), 1e-9)


class Stopped(Exception):  # noqa: N818  not an error: it was asked for
    """A search whose part answers are worth nothing was ended early."""


class Watch:
    """Follows one search for a plan from outside: hears what is known, and can end it.

    `stop` may be called from any thread; the search then returns the best it has, soon.
    """

    def __init__(
        self, tell: Callable[[Known], None] = lambda known: None, *, all_or_nothing: bool = False
    ) -> None:
        """
        Args:
            tell: hears every better plan and bound, in the thread that finds it.
            all_or_nothing: a search that is stopped raises `Stopped`.
        """
        self._tell = tell
        self._stop = threading.Event()
        self.all_or_nothing = all_or_nothing
        self.known = Known()

    def for_questions(self) -> Watch:
        """Stopped together with this one; for searches of which only the end is of use."""
        other = Watch(all_or_nothing=True)
        other._stop = self._stop
        return other

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def begin(self) -> None:
        """A new problem: nothing is known of it."""
        self.known = Known()

    def saw(self, objective: float = INF, bound: float = -INF) -> None:
        """A plan of that cost is there, or none can cost less than the bound.

        Nothing is told after a stop: a solver that was left to itself goes on for a while, and
        what it finds then is of a problem that is no longer looked at.
        """
        if self.stopped:
            return
        known = Known(min(self.known.objective, objective), max(self.known.bound, bound))
        if known != self.known:
            self.known = known
            self._tell(known)
