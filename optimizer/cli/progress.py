"""How far a command is, told on standard error, and how a signal ends it."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

from providers.errors import RentoptError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from rich.progress import Progress

    from optimizer.milp.anytime import Known, Watch

LINE_EVERY_S = 1.0
"""With -v, at most one line of progress in so many seconds."""
BESIDE = 14
"""Cells of a live line that are not for its words: spinner, time, and room where a terminal shows
the ^C that was typed."""
INTERRUPTED = 130
BEST_PLAN = "the best plan so far"

T = TypeVar("T")


class Teller:
    """Takes the steps of a command, and what is known of the plan that is looked for.

    This one keeps them to itself.
    """

    def __init__(self, currency: str = "") -> None:
        from optimizer.milp.anytime import Watch

        self._currency, self._step = currency, ""
        self.watch: Watch = Watch(self._known)

    def __call__(self, step: str) -> None:
        self._step = step

    def note(self, text: str) -> None:
        """A message that stays."""
        typer.echo(f"rentopt: {text}", err=True)

    def _known(self, known: Known) -> None:
        """What is known of the problem that is solved has changed."""


class Lines(Teller):
    """A line for each step, and one now and then for what is known."""

    def __call__(self, step: str) -> None:
        super().__call__(step)
        self._said = self._began = time.monotonic()
        self.note(step)

    def _known(self, known: Known) -> None:
        now = time.monotonic()
        first = self._said == self._began
        if (first or now - self._said >= LINE_EVERY_S) and known.objective < float("inf"):
            self._said = now
            seconds = now - self._began
            self.note(f"{self._step}: {_in_words(known, self._currency)} ({seconds:.0f} s)")


class LiveLine(Teller):
    """One line of a terminal that is always the newest, and is gone in the end."""

    def __init__(self, bar: Progress, currency: str) -> None:
        super().__init__(currency)
        self._bar, self._task = bar, bar.add_task("", total=None)
        self("starting")

    def __call__(self, step: str) -> None:
        super().__call__(step)
        self._show(step)

    def note(self, text: str) -> None:
        """Above the line: what goes past the bar would break it."""
        self._bar.console.print(f"rentopt: {text}", markup=False, highlight=False, soft_wrap=True)

    def _known(self, known: Known) -> None:
        if known.objective < float("inf"):
            words = _in_words(known, self._currency)
            self._show(f"{self._step}: {words}", words)

    def _show(self, *texts: str) -> None:
        """The first of them that fits, or else what fits of the last."""
        from rich.text import Text

        room = self._bar.console.width - BESIDE
        shown = [Text(text) for text in texts]
        best = next((text for text in shown if text.cell_len <= room), shown[-1])
        best.truncate(room, overflow="ellipsis")
        self._bar.update(self._task, description=best.plain)


def _in_words(known: Known, currency: str) -> str:
    found = f"{known.objective:,.2f} {currency} found"
    if known.bound == -float("inf"):
        return found
    gap = math.ceil(known.gap * 10_000 - 1e-9) / 100
    return f"{found}, at least {known.bound:,.2f} needed, gap {gap:.2f}%"


@contextmanager
def told(verbose: bool, currency: str = "") -> Iterator[Teller]:
    """What tells a person how far it is: lines with -v, one live line on a terminal, else nothing.

    Args:
        currency: of the costs that are found on the way.
    """
    if verbose:
        yield Lines(currency)
        return
    if not sys.stderr.isatty():
        yield Teller(currency)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    words = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
    with Progress(
        SpinnerColumn(), TimeElapsedColumn(), words, console=Console(stderr=True), transient=True
    ) as bar:
        yield LiveLine(bar, currency)


def interruptible(work: Callable[[], T]) -> T:
    """Run `work` so that Ctrl-C and SIGTERM end it at once, even inside the solver.

    Python handles a signal only between two of its own steps, and the solver may be many seconds
    away from the next; so the work is done in another thread, which dies with the process.
    """
    return _result(_begun(work))


def best_so_far(work: Callable[[], T], tell: Teller, what: str = BEST_PLAN) -> tuple[T, int]:
    """As `interruptible`, but the first signal asks for the best so far; a second one ends it.

    Args:
        work: heeds the watch of `tell`.
        what: is there when it is stopped.

    Returns:
        What `work` gives, and the exit code of the signal that ended it early; 0 without one.

    Raises:
        KeyboardInterrupt, SystemExit: there was a second signal, or nothing was found yet.
    """
    outcome = _begun(work)
    try:
        return _result(outcome), 0
    except (KeyboardInterrupt, SystemExit) as signal:
        code = INTERRUPTED if isinstance(signal, KeyboardInterrupt) else int(signal.code or 0)
    tell.watch.stop()
    tell.note(f"stopping with {what}; again to end at once")
    try:
        return _result(outcome), code
    except RentoptError as error:
        tell.note(str(error))
        raise SystemExit(code) from None


def _begun(work: Callable[[], T]) -> Future[T]:
    from concurrent.futures import Future

    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised again by who asks for the result
            outcome.set_exception(error)

    threading.Thread(target=run, name="plan", daemon=True).start()
    return outcome


def _result(outcome: Future[T]) -> T:
    """Wait in short steps, so that a signal is heard."""
    while not outcome.done():
        time.sleep(0.02)
    return outcome.result()
