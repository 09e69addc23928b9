"""``rentopt prices status`` and ``doctor``: how old the prices are, and what is wrong."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import StoreUrl
from optimizer.cli.prices.store import opened

if TYPE_CHECKING:
    from providers.store import AdapterStatus

STALE_EXIT = 4
_AGE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([mhd])\s*")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class StatusFormat(StrEnum):
    TABLE = "table"
    CSV = "csv"
    MD = "md"
    JSON = "json"


def duration(text: str) -> timedelta:
    """``36h``, ``90m`` or ``2d``."""
    found = _AGE.fullmatch(text)
    if not found:
        raise typer.BadParameter(f"'{text}' is no time; write it like 36h, 90m or 2d")
    return float(found[1]) * _UNITS[found[2]]


def status(
    max_age: Annotated[
        timedelta | None,
        typer.Option(
            parser=duration,
            metavar="TIME",
            help="Exit with 4 if a source is older, such as 36h.",
            show_default="36h, or max_age_hours of the settings",
        ),
    ] = None,
    provider: Annotated[list[str] | None, typer.Option(help="Only these; repeatable.")] = None,
    format: Annotated[StatusFormat, typer.Option("--format", help="Form of the output.")] = (
        StatusFormat.TABLE
    ),
    store: StoreUrl = None,
) -> None:
    """Say how old each source's prices are: the health probe of the refresh job."""
    from optimizer.report.tables import Column, render
    from providers.config import load_config

    config = load_config(store=store)
    limit = max_age or config.max_age
    now = datetime.now(UTC)
    with opened(config, create=False) as prices:
        known = [row for row in prices.status() if not provider or row.adapter in provider]
    stale = [row.adapter for row in known if price_age(row, now) > limit]
    stale += [name for name in provider or () if name not in {row.adapter for row in known}]
    if format is StatusFormat.JSON:
        body = {
            "max_age_hours": limit / _UNITS["h"],
            "stale": sorted(stale),
            "sources": [_as_json(row, now, limit) for row in known],
        }
        typer.echo(json.dumps(body, indent=1, ensure_ascii=False))
    else:
        columns: list[str | Column] = [
            "source", Column("age", right=True), Column("offers", right=True), "published",
            "last attempt", Column("failed since", right=True), "last error",
        ]  # fmt: skip
        rows = [_cells(row, now) for row in known]
        typer.echo(render(columns, rows, format.value), nl=False)
    if not known:
        typer.echo("rentopt: nothing was ever refreshed; run: rentopt prices refresh", err=True)
    for name in sorted(stale):
        typer.echo(f"rentopt: {name} is older than {_hours(limit)}", err=True)
    if stale or not known:
        raise typer.Exit(STALE_EXIT)


def price_age(row: AdapterStatus, now: datetime) -> timedelta:
    """Since the source was last asked with success; the greatest there is if it never was."""
    published = row.last_published
    return now - published.observed_at if published and published.observed_at else timedelta.max


def _hours(span: timedelta) -> str:
    return f"{span / _UNITS['h']:.0f}h" if span < timedelta.max else "never"


def _cells(row: AdapterStatus, now: datetime) -> list[object]:
    published, attempt = row.last_published, row.last_attempt
    waiting = "a table is in quarantine" if row.quarantined else ""
    return [
        row.adapter,
        _hours(price_age(row, now)),
        published.n_offers if published else "",
        f"{published.observed_at:%Y-%m-%d %H:%M}" if published else "",
        f"{attempt.known_at:%Y-%m-%d %H:%M}" if attempt else "",
        row.consecutive_failures or "",
        row.last_error or waiting,
    ]


def _as_json(row: AdapterStatus, now: datetime, limit: timedelta) -> dict[str, object]:
    age, published = price_age(row, now), row.last_published
    return {
        "source": row.adapter,
        "age_hours": round(age / _UNITS["h"], 2) if published else None,
        "stale": age > limit,
        "offers": published.n_offers if published else 0,
        "observed_at": _text(published.observed_at if published else None),
        "run_id": published.id if published else None,
        "attempted_at": _text(row.last_attempt.known_at if row.last_attempt else None),
        "failures": row.consecutive_failures,
        "error": row.last_error,
        "quarantined": row.quarantined is not None,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
