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

    from optimizer.milp.anytime import Known, Watch

LINE_EVERY_S = 1.0
"""With -v, at most one line of progress in so many seconds."""
INTERRUPTED = 130

T = TypeVar("T")


class Teller:
    """Takes the steps of a command, and what is known of the plan that is looked for."""

    def __init__(self, say: Callable[[str], None], every_s: float, currency: str = "") -> None:
        from optimizer.milp.anytime import Watch

        self._say, self._every_s, self._currency = say, every_s, currency
        self._step = ""
        self._said = self._began = time.monotonic()
        self.watch: Watch = Watch(self._known)

    def __call__(self, step: str) -> None:
        self._step = step
        self._said = self._began = time.monotonic()
        self._say(step)

    def _known(self, known: Known) -> None:
        now = time.monotonic()
        first = self._said == self._began
        if (first or now - self._said >= self._every_s) and known.objective < float("inf"):
            self._said = now
            seconds = now - self._began
            self._say(f"{self._step}: {_in_words(known, self._currency)} ({seconds:.0f} s)")


def _in_words(known: Known, currency: str) -> str:
    found = f"{known.objective:,.2f} {currency} found"
    if known.bound == -float("inf"):
        return found
    gap = math.ceil(known.gap * 10_000 - 1e-9) / 100
    return f"{found}, at least {known.bound:,.2f} needed, gap {gap:.2f}%"


@contextmanager
def told(verbose: bool, currency: str = "") -> Iterator[Teller]:
    """What tells a person how far it is: lines with -v, a spinner on a terminal, else nothing."""
    if verbose:
        yield Teller(lambda step: typer.echo(f"rentopt: {step}", err=True), LINE_EVERY_S, currency)
        return
    if not sys.stderr.isatty():
        yield Teller(lambda step: None, LINE_EVERY_S, currency)
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield Teller(lambda step: status.update(f"{step} ..."), 0.0, currency)


def interruptible(work: Callable[[], T]) -> T:
    """Run `work` so that Ctrl-C and SIGTERM end it at once, even inside the solver.

    Python handles a signal only between two of its own steps, and the solver may be many seconds
    away from the next; so the work is done in another thread, which dies with the process.
    """
    return _result(_begun(work))


def best_so_far(work: Callable[[], T], watch: Watch) -> tuple[T, int]:
    """As `interruptible`, but the first signal asks for the best so far; a second one ends it.

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
    watch.stop()
    typer.echo("rentopt: stopping with the best plan so far; again to end at once", err=True)
    try:
        return _result(outcome), code
    except RentoptError as error:
        typer.echo(f"rentopt: {error}", err=True)
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
