"""``rentopt sweep``: one schedule planned many times, with its assumptions moved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.plan import check_writable, deliver
from optimizer.cli.price_options import (
    ANY_PRICES,
    NO_STORE,
    AsOf,
    PlanStore,
    Prices,
    Quotes,
    asked_moment,
)
from optimizer.cli.progress import interruptible

if TYPE_CHECKING:
    from optimizer.sweep.backends import Backend
    from optimizer.sweep.cases import Cases, PriceChoice
    from optimizer.sweep.load import Sweep
    from optimizer.sweep.results import Results
    from optimizer.sweep.rows import Row
    from optimizer.sweep.run import Tally

LOST_EXIT = 10
PROBED = 2
"""Cases that --dry-run plans to know how long one takes, where none is finished."""
LINES = 20
"""About how many lines tell the progress where no bar can."""


class SweepFormat(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class Where(StrEnum):
    LOCAL = "local"
    RAY = "ray"


def sweep(
    document: Annotated[Path, typer.Argument(help="What moves, and over what (YAML).")],
    format: Annotated[SweepFormat, typer.Option("--format", help="Form of the output.")] = (
        SweepFormat.TABLE
    ),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
    results: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps each finished case, and is asked first the next time.",
            show_default="beside the sweep, with the ending .results.db",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Plan every case anew, also those that are finished.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help=f"Count the cases and say how long they take; plans {PROBED} at most."
        ),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Cases at a time.", show_default="one a core")
    ] = None,
    backend: Annotated[
        Where, typer.Option(help="This machine's processes, or a Ray cluster.")
    ] = Where.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of a running Ray cluster: auto, or ray://HOST:10001.",
            show_default="a cluster on this machine, for this sweep",
        ),
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(help="File for a chart: .svg, .png, .pdf or .txt.")
    ] = None,
    chart_value: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column of the results that the chart shows.")
    ] = "npv",
    chart_axis: Annotated[
        list[str] | None,
        typer.Option(metavar="AXIS", help="Axis of the chart; once or twice. The first is up."),
    ] = None,
    write_case: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=1,
            help="Write one case's schedule to --output; plan nothing.",
        ),
    ] = None,
    as_of: AsOf = None,
    prices: Prices = ANY_PRICES,
    quotes: Quotes = None,
    store: PlanStore = None,
) -> None:
    """Plan a schedule for every value of its assumptions, on all cores, and keep the results."""
    check_writable(output)
    if format is SweepFormat.PARQUET and str(output) == "-":
        raise typer.BadParameter("parquet needs a file: --output FILE", param_hint="--format")
    if address is not None and backend is not Where.RAY:
        raise typer.BadParameter("is of --backend ray", param_hint="--address")
    from optimizer.sweep.cases import Cases
    from optimizer.sweep.chart import chart_format
    from optimizer.sweep.load import load_sweep
    from optimizer.sweep.results import open_results
    from optimizer.sweep.rows import FAILED
    from optimizer.sweep.run import count, kept_of, run

    if chart is not None:
        check_writable(chart)
        chart_format(chart)
    asked = load_sweep(document)
    if write_case is not None:
        _write_case(asked, write_case, output)
        return
    place = results or document.with_suffix(".results.db")
    with open_results(place) as kept:
        choice = _prices(kept, as_of, quotes, prices, store)
        cases = Cases(asked, choice)
        counted = count(cases, kept, again=again)
        if dry_run:
            _estimate(cases, kept, again=again, workers=workers or cores())
            return
        with backend_for(backend, address, workers) as runs:
            try:
                with progress_bar(runs.workers) as told:
                    rows = run(cases, kept, runs, counted, told)
            except (KeyboardInterrupt, SystemExit):
                done, total = kept_of(counted.tally, kept), counted.tally.total
                said = f"{done:,} of {total:,} cases are kept in {place}; run it again for the rest"
                typer.echo(f"rentopt: {said}", err=True)
                raise
    _show(asked, choice, rows, format, output)
    if chart is not None:
        _draw(asked, rows, chart, chart_value, chart_axis or [])
    lost = sum(1 for row in rows if row is not None and row["status"] == FAILED)
    if lost:
        said = f"{lost} of {len(rows)} cases were lost with their process; run it again to try them"
        typer.echo(f"rentopt: {said}", err=True)
        raise typer.Exit(LOST_EXIT)


def _prices(
    kept: Results,
    as_of: datetime | None,
    quotes: list[Path] | None,
    prices: tuple[str, str],
    store: str | None,
) -> PriceChoice:
    """Those asked for; else those of the day of the first run, so that a sweep that is taken up
    again another day goes on with the same prices."""
    from optimizer.sweep.cases import PriceChoice

    moment = asked_moment(as_of, prices)
    day, known_at = moment.as_of, moment.known_at
    exactly = day is not None
    if day is None:
        now = datetime.now(UTC)
        day = date.fromisoformat(kept.noted("as_of", date.today().isoformat()))
        known_at = datetime.fromisoformat(kept.noted("known_at", now.isoformat()))
        if day != date.today():
            said = f"going on with the prices of {day}; --as-of or another --results takes others"
            typer.echo(f"rentopt: {said}", err=True)
    url = "" if moment.bundled_only or store == NO_STORE else store
    return PriceChoice(day, exactly, known_at, url, tuple(quotes or ()))


def _write_case(asked: Sweep, number: int, output: Path) -> None:
    from itertools import islice

    from optimizer.sweep.edits import PSEUDO, yaml_of
    from optimizer.sweep.table import shown
    from providers.errors import RentoptError

    if number > asked.n_cases:
        raise RentoptError(f"there is no case {number}; the sweep has {asked.n_cases}")
    edits = next(islice(asked.cases(), number - 1, None))
    values = ", ".join(f"{path} = {shown(value)}" for path, value in edits)
    heading = f"case {number} of {asked.source}: {values}"
    asked.schedule_of(edits)
    deliver(yaml_of(asked.edited(edits), " ".join(heading.split())), output)
    left = [path for path, _ in edits if path in PSEUDO and path.startswith("prices.")]
    for path in sorted(set(left) - {"prices.purchase"}):
        typer.echo(f"rentopt: {path} is no part of a schedule, and is not in the file", err=True)


def _estimate(cases: Cases, kept: Results, *, again: bool, workers: int) -> None:
    from optimizer.sweep.backends import Here
    from optimizer.sweep.run import count, run

    counted = count(cases, kept, again=again)
    tally = counted.tally
    found, left = tally.kept, tally.total - tally.kept
    if not tally.seconds and left:
        run(cases, kept, Here(interruptible), counted, at_most=PROBED)
    typer.echo(f"{tally.total:,} cases: {found:,} finished, {left:,} to plan")
    seconds = tally.left_s(workers)
    if seconds is not None and tally.total > tally.done:
        each = sum(tally.seconds) / len(tally.seconds)
        typer.echo(
            f"about {span_of(seconds)} with {workers} at a time ({each:.1f} s a case, as the "
            f"{len(tally.seconds):,} so far took)"
        )


def cores() -> int:
    from joblib import cpu_count

    return max(1, int(cpu_count()))


@contextmanager
def backend_for(where: Where, address: str | None, workers: int | None) -> Iterator[Backend]:
    from optimizer.sweep.backends import RayCluster

    if where is Where.RAY:
        cluster = RayCluster(address, workers if address else workers or cores())
        try:
            yield cluster
        finally:
            cluster.close()
    else:
        yield local_backend(workers or cores())


def local_backend(workers: int) -> Backend:
    from optimizer.sweep.backends import Here, Processes

    return Here(interruptible) if workers == 1 else Processes(workers)


@contextmanager
def progress_bar(workers: int) -> Iterator[Callable[[Tally], None]]:
    """A bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield _Lines(workers)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("planning"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=None)

        def told(tally: Tally) -> None:
            seconds = tally.left_s(workers)
            left = "" if seconds is None else f"about {span_of(seconds)} left"
            bar.update(task, total=tally.total, completed=tally.done, description=left)

        yield told


class _Lines:
    """Progress as lines of standard error."""

    def __init__(self, workers: int) -> None:
        self._workers, self._next = workers, 0

    def __call__(self, tally: Tally) -> None:
        if tally.done == tally.total and not tally.planned:
            typer.echo(f"rentopt: all {tally.total:,} cases were finished before", err=True)
        elif tally.done >= self._next or tally.done == tally.total:
            self._next = tally.done + max(1, tally.total // LINES)
            seconds = tally.left_s(self._workers) if tally.planned else None
            left = f", about {span_of(seconds)} left" if seconds else ""
            typer.echo(f"rentopt: {tally.done:,} of {tally.total:,} cases{left}", err=True)


def span_of(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _show(
    asked: Sweep,
    choice: PriceChoice,
    rows: list[Row | None],
    format: SweepFormat,
    output: Path,
) -> None:
    from optimizer.report.files import write_atomically
    from optimizer.sweep import table

    if format is SweepFormat.PARQUET:
        write_atomically(output, table.sweep_parquet(asked, rows))
        typer.echo(f"wrote {output}", err=True)
    elif format is SweepFormat.JSON:
        deliver(table.sweep_json(asked, choice, rows), output)
    elif format is SweepFormat.CSV:
        deliver(table.sweep_csv(asked, rows), output)
    else:
        deliver(table.sweep_text(asked, choice, rows), output)
        for line in table.legend(rows):
            typer.echo(f"rentopt: {line}", err=True)


def _draw(asked: Sweep, rows: list[Row | None], path: Path, value: str, axes: list[str]) -> None:
    from optimizer.report.files import write_atomically
    from optimizer.sweep.chart import chart_format, chart_of, chart_text, draw

    made, format = chart_of(asked, rows, value, axes), chart_format(path)
    if format == "txt":
        deliver(chart_text(made), path)
        return
    title = asked.document.name or asked.document.schedule.stem
    write_atomically(path, draw(made, title, format))
    typer.echo(f"wrote {path}", err=True)
