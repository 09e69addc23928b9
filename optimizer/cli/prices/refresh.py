"""``rentopt prices refresh``: renew the price tables, unattended."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import StoreUrl
from optimizer.cli.prices.store import held

if TYPE_CHECKING:
    from providers.config import Config
    from providers.refresh import Outcome
    from providers.store import PriceStore

_UNREACHED = ("no such host", "connection refused", "cannot be reached", "timed out", "UNAVAILABLE")


class RefreshFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def refresh(
    provider: Annotated[
        list[str] | None,
        typer.Argument(help="Sources to ask; all that are enabled when left out. fx: rates."),
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Publish the quarantined table of each PROVIDER as it is, asking nobody.",
        ),
    ] = False,
    ungated: Annotated[
        bool, typer.Option("--no-checks", help="Publish what comes without the sanity checks.")
    ] = False,
    deadline: Annotated[
        float | None,
        typer.Option(min=0.01, help="Minutes for all sources together.", show_default="30"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Sources asked at the same time.", show_default="8")
    ] = None,
    metrics_file: Annotated[
        Path | None, typer.Option(help="Prometheus text file to write when done.")
    ] = None,
    format: Annotated[RefreshFormat, typer.Option("--format", help="Form of the output.")] = (
        RefreshFormat.TEXT
    ),
    store: StoreUrl = None,
) -> None:
    """Ask every source for its prices, check them, and keep what changed.

    Exit codes: 0 all published; 4 nothing; 5 some sources failed or are quarantined; 6 another
    refresh is at work.
    """
    from optimizer.cli.plan import check_writable
    from providers.config import load_config
    from providers.metrics import write_metrics
    from providers.refresh import exit_code

    if metrics_file is not None:
        check_writable(metrics_file)
    over = {"deadline_minutes": deadline, "workers": workers}
    asked = {name: value for name, value in over.items() if value is not None}
    config = load_config(store=store, refresh=asked or None)
    named = provider or []
    with held(config) as prices:
        if accept:
            outcomes = _accept(named, prices)
        else:
            outcomes = _ask(named, prices, config, ungated=ungated)
        if metrics_file is not None:
            write_metrics(metrics_file, outcomes, prices, datetime.now(UTC))
    if format is RefreshFormat.JSON:
        typer.echo(json.dumps(_as_json(outcomes), indent=1, ensure_ascii=False))
    else:
        for line in _lines(outcomes, named):
            typer.echo(line)
    for outcome in outcomes:
        if outcome.bug:
            typer.echo(outcome.bug, err=True)
    _tell(outcomes, config)
    raise typer.Exit(exit_code(outcomes))


def _ask(
    named: Sequence[str], prices: PriceStore, config: Config, *, ungated: bool
) -> list[Outcome]:
    from providers.refresh import Hooks, refresh, sources

    names = sources(named, config)
    with _progress(names) as told:
        outcomes = refresh(
            names, prices, config, insist=named, ungated=ungated, hooks=Hooks(told=told)
        )
    prices.prune_snapshots(config.refresh.keep_snapshots_days)
    return outcomes


def _accept(named: Sequence[str], prices: PriceStore) -> list[Outcome]:
    from providers.errors import RentoptError
    from providers.refresh import published_outcome

    waiting = {held.run.adapter for held in prices.quarantined()}
    if not named:
        known = ", ".join(sorted(waiting)) or "none is in quarantine"
        raise RentoptError(f"--accept needs the names of the tables to release: {known}")
    for name in named:
        if name not in waiting:
            raise RentoptError(f"no table of {name} is in quarantine")
    return [published_outcome(name, prices.release(name), 0.0, None) for name in named]


@contextmanager
def _progress(names: Sequence[str]) -> Iterator[Callable[[str, str], None]]:
    """A bar on a terminal; nothing elsewhere, where each source gets its line at the end."""
    if not sys.stderr.isatty():
        yield lambda name, step: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("refreshing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(names))
        at_work: dict[str, str] = {}

        def told(name: str, step: str) -> None:
            if step in ("asking", "checking"):
                at_work[name] = step
            else:
                at_work.pop(name, None)
                bar.advance(task)
            shown = ", ".join(sorted(at_work)[:4])
            bar.update(task, description=shown)

        yield told


def _lines(outcomes: Sequence[Outcome], named: Sequence[str]) -> Iterator[str]:
    from providers.refresh import Status

    skipped = [o for o in outcomes if o.status is Status.SKIPPED]
    for outcome in outcomes:
        if outcome.status is not Status.SKIPPED or outcome.adapter in named:
            yield f"{outcome.adapter:15} {outcome.status.value:12} {_said(outcome)}"
            yield from (f"{'':15} {finding}" for finding in outcome.findings)
            if outcome.findings:
                release = f"rentopt prices refresh {outcome.adapter} --accept"
                yield f"{'':15} if it is right: {release}"
    if skipped and not named:
        yield "not asked:"
        yield from (f"  {outcome.error}" for outcome in skipped)
    counted = [
        f"{sum(o.status is status for o in outcomes)} {status.value}"
        for status in Status
        if any(o.status is status for o in outcomes)
    ]
    yield ", ".join(counted)
    asked = [o for o in outcomes if o.status is not Status.SKIPPED]
    unreached = [o for o in asked if any(sign in o.error for sign in _UNREACHED)]
    if len(unreached) == len(asked) > 1:
        yield "no source could be reached: is this machine offline? The last good tables stay"


def _said(outcome: Outcome) -> str:
    from providers.refresh import FX, Status

    if outcome.status is not Status.PUBLISHED:
        return outcome.error or f"{outcome.offers} offers, not published:"
    if outcome.adapter == FX:
        return f"{outcome.offers} rates, {outcome.added} new"
    moved = [
        f"{number} {word}"
        for number, word in (
            (outcome.added, "new"),
            (outcome.changed, "changed"),
            (outcome.vanished, "gone"),
            (outcome.held_back, "held back"),
        )
        if number
    ]
    rejected = f", {outcome.rejected} rows rejected" if outcome.rejected else ""
    return f"{outcome.offers} offers ({', '.join(moved) or 'nothing changed'}){rejected}"


def _as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    from providers.refresh import exit_code

    rows = []
    for outcome in outcomes:
        row = {k: v for k, v in asdict(outcome).items() if k != "bug"}
        rows.append(row | {"seconds": round(outcome.seconds, 3)})
    return {"exit_code": exit_code(outcomes), "sources": rows}


def _tell(outcomes: Sequence[Outcome], config: Config) -> None:
    from providers.notify import notify
    from providers.refresh import Status

    for event, status in (("failure", Status.FAILED), ("quarantine", Status.QUARANTINED)):
        rows = [outcome for outcome in outcomes if outcome.status is status]
        if not rows:
            continue
        body = {
            "text": f"rentopt prices refresh: {status.value}: {', '.join(o.adapter for o in rows)}",
            "sources": [
                {"adapter": o.adapter, "error": o.error, "findings": list(o.findings)} for o in rows
            ],
        }
        for problem in notify(event, body, config.notify):
            typer.echo(f"rentopt: {problem}", err=True)
