"""Where cases are planned: in processes of this machine, or on the nodes of a Ray cluster.

A back end takes cases and gives rows, in any order, each as soon as it is there. A process that
ends in the middle costs the case it was at, which is planned again: elsewhere, and after a second
loss alone, so that a case that takes its process down does not take others with it.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from optimizer.sweep.cases import Case, facts_digest, tool_version
from optimizer.sweep.document import PlanOptions
from optimizer.sweep.rows import FAILED, Row, planned_row, without_plan
from providers.errors import RentoptError, needing
from providers.offers import OfferBook

Finished = tuple[Case, Row]
REACHED_S = 10.0
TRIES = 3
"""How often the process of one case may end before the case is given up, the last time alone."""


class Backend(Protocol):
    """Plans cases; `books` may grow while they are taken."""

    workers: int

    def rows(
        self, cases: Iterable[Case], books: Mapping[str, OfferBook], options: PlanOptions
    ) -> Iterator[Finished]: ...


class Here:
    """One after the other, in this process."""

    workers = 1

    def __init__(self, call: Callable[[Callable[[], Row]], Row] = lambda work: work()) -> None:
        """
        Args:
            call: calls what plans a case; one that lets Ctrl-C through, for instance.
        """
        self._call = call

    def rows(
        self, cases: Iterable[Case], books: Mapping[str, OfferBook], options: PlanOptions
    ) -> Iterator[Finished]:
        for case in cases:
            book = books[case.book_digest]
            work = partial(planned_row, case.schedule, book, case.rent, options, threads=0)
            yield case, self._call(work)


class Processes:
    """Processes of this machine, by joblib's own back end (loky), one solver thread each."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def rows(
        self, cases: Iterable[Case], books: Mapping[str, OfferBook], options: PlanOptions
    ) -> Iterator[Finished]:
        with tempfile.TemporaryDirectory(prefix="rentopt-sweep-") as folder:
            shelf = Path(folder)
            lost: Counter[int] = Counter()
            waiting: Iterable[Case] = cases
            while True:
                pool = _Pool(shelf, books, options, self.workers)
                yield from pool.rows(waiting)
                if not pool.ended:
                    return
                lost.update(pool.suspects)
                again = list(pool.unfinished)
                alone = [case for case in again if lost[case.number] >= TRIES - 1]
                for case in alone:
                    yield from self._alone(case, shelf, books, options)
                together = [case for case in again if lost[case.number] < TRIES - 1]
                waiting = chain(together, pool.untouched())

    def _alone(
        self, case: Case, shelf: Path, books: Mapping[str, OfferBook], options: PlanOptions
    ) -> Iterator[Finished]:
        pool = _Pool(shelf, books, options, max(self.workers, 2))
        yield from pool.rows([case])
        if pool.ended:
            said = f"its process ended {TRIES} times: killed, or out of memory"
            yield case, without_plan(FAILED, said)


class _Pool:
    """One life of joblib's pool: it ends with the first process that is killed."""

    def __init__(
        self, shelf: Path, books: Mapping[str, OfferBook], options: PlanOptions, workers: int
    ) -> None:
        self.shelf, self.books, self.options, self.workers = shelf, books, options, workers
        self.ended = False
        self.unfinished: list[Case] = []
        """Handed out, without a row."""
        self._source: Iterator[Case] = iter(())

    @property
    def suspects(self) -> set[int]:
        """Cases that were being planned when the pool ended."""
        return {int(path.name[1:]) for path in self.shelf.glob("@*")}

    def untouched(self) -> Iterator[Case]:
        """Cases that were never handed out."""
        return self._source

    def rows(self, cases: Iterable[Case]) -> Iterator[Finished]:
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import BrokenProcessPool

        for mark in self.shelf.glob("@*"):
            mark.unlink()
        self._source = iter(cases)
        out: dict[int, Case] = {}

        def handed_out() -> Iterator[Any]:
            for case in self._source:
                out[case.number] = case
                book = self._shelved(case.book_digest)
                task = (case.number, case.schedule, case.rent)
                yield delayed(_from_shelf)(task, book, self.options)

        parallel = Parallel(
            n_jobs=self.workers, backend="loky", return_as="generator_unordered", batch_size=1,
            pre_dispatch="2*n_jobs",
        )  # fmt: skip
        found = parallel(handed_out())
        try:
            for number, row in found:
                yield out.pop(number), row
        except BrokenProcessPool:
            self.ended = True
            self.unfinished = list(out.values())
        finally:
            found.close()

    def _shelved(self, digest: str) -> Path:
        """The file that processes read a price book from."""
        path = self.shelf / digest
        if not path.exists():
            path.write_bytes(pickle.dumps(self.books[digest]))
        return path


def _from_shelf(task: tuple[int, Any, Any], book: Path, options: PlanOptions) -> tuple[int, Row]:
    """Plan one case in a process of the pool."""
    # Ctrl-C reaches every process of the terminal; the one that started these ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    number, schedule, rent = task
    mark = book.parent / f"@{number}"
    mark.touch()
    row = planned_row(schedule, _book(book), rent, options, threads=1)
    mark.unlink()
    return number, row


@lru_cache(maxsize=4)
def _book(path: Path) -> OfferBook:
    book: OfferBook = pickle.loads(path.read_bytes())
    return book


class RayCluster:
    """The nodes of a Ray cluster, by Ray's own tasks, one CPU and one solver thread each.

    Ray starts a task again where its process or node was lost. rentopt must be installed on the
    nodes, in the version that asks.
    """

    def __init__(self, address: str | None, workers: int | None = None) -> None:
        """
        Args:
            address: of a running cluster (``auto``, ``ray://host:10001``); none: one is started
                on this machine for the time of the sweep.
            workers: CPUs of the cluster that is started; of a running one, how many at most.
        """
        with needing("ray"):
            import ray
        if address:
            _reach(address)
        # Ray would tell its makers how it is used; nothing here calls anybody unasked.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        more: dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False}
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", **more)
        except (ConnectionError, ValueError) as error:
            raise RentoptError(f"no Ray cluster answers at {address}: {error}") from None
        there = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self.workers = min(there, workers or there)

    def rows(
        self, cases: Iterable[Case], books: Mapping[str, OfferBook], options: PlanOptions
    ) -> Iterator[Finished]:
        import ray
        from ray.exceptions import RayError, RayTaskError

        task = ray.remote(max_retries=TRIES - 1, num_cpus=1)(_on_node)
        shelf: dict[str, Any] = {}
        out: dict[Any, Case] = {}
        source, checks = iter(cases), (tool_version(), facts_digest())
        while True:
            for case in source:
                if case.book_digest not in shelf:
                    shelf[case.book_digest] = ray.put(books[case.book_digest])
                book = shelf[case.book_digest]
                out[task.remote(case.schedule, book, case.rent, options, checks)] = case
                if len(out) >= 2 * self.workers:
                    break
            if not out:
                return
            ready, _ = ray.wait(list(out), num_returns=1)
            for reference in ready:
                case = out.pop(reference)
                try:
                    yield case, ray.get(reference)
                except RayTaskError:
                    raise
                except RayError as error:
                    first = str(error).strip().splitlines()[0]
                    yield case, without_plan(FAILED, f"its process ended {TRIES} times: {first}")

    def close(self) -> None:
        import ray

        ray.shutdown()


def _reach(address: str) -> None:
    """
    Raises:
        RentoptError: nothing listens there, which Ray itself says after minutes only.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # auto, and other words that Ray knows
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED_S).close()
    except (OSError, OverflowError) as error:
        raise RentoptError(f"no Ray cluster answers at {address}: {error}") from None


def _on_node(
    schedule: Any, book: OfferBook, rent: Any, options: PlanOptions, checks: tuple[str, str]
) -> Row:
    """Plan one case on a node, if it is planned there as it would be here."""
    found = (tool_version(), facts_digest())
    if found != checks:
        raise RentoptError(
            f"a node of the cluster has rentopt {found[0]} with data {found[1][:12]}, here it is "
            f"{checks[0]} with {checks[1][:12]}; install the same on all"
        )
    return planned_row(schedule, book, rent, options, threads=1)
