"""A search that ends when its time is over, whatever the solver is doing then.

Solvers look at the clock now and then only; in the presolve of a large model that can be many
seconds late. Here the search goes on without them at once, with the best plan and bound so far.
"""

from __future__ import annotations

import atexit
import threading
import time

from optimizer.milp.anytime import Stopped, Watch


class Deadline(Watch):
    """Stopped at a moment, with what is known; where the watch around it is, worth nothing."""

    def __init__(self, until: float, outer: Watch | None = None) -> None:
        """
        Args:
            until: on the monotonic clock.
        """
        super().__init__()
        self.until = until
        self.outer = outer

    @property
    def stopped(self) -> bool:
        """
        Raises:
            Stopped: the watch around it is.
        """
        if self.outer is not None and self.outer.stopped:
            raise Stopped
        return super().stopped or time.monotonic() >= self.until


def solvers_at_work() -> list[threading.Thread]:
    """Threads in which a solver that was left behind has not come to its end yet."""
    return [thread for thread in threading.enumerate() if thread.name == "solver"]


@atexit.register
def _let_them_end() -> None:
    """Taking the interpreter down around a solver would abort the process."""
    for thread in solvers_at_work():
        thread.join()
