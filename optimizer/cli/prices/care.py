"""``rentopt prices doctor``, ``vacuum`` and ``backup``: keeping the store in health."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import StoreUrl
from optimizer.cli.prices.status import price_age
from optimizer.cli.prices.store import held, opened

if TYPE_CHECKING:
    from providers.config import Config

UNSOUND_EXIT = 4


def doctor(store: StoreUrl = None) -> None:
    """Check the store, the ages of its prices, the lock and the keys. Exit code 4: see to it."""
    from providers.config import config_files, load_config
    from providers.errors import RentoptError

    config = load_config(store=store)
    files = ", ".join(str(path) for path in config_files()) or "none"
    typer.echo(f"settings files: {files}")
    typer.echo(f"store: {_shown(config.store_url)}")
    faults = []
    try:
        faults = [*_store(config)]
    except RentoptError as error:
        faults = [str(error)]
    for line in _lock(config):
        typer.echo(line)
    typer.echo("keys:")
    for line in _keys(config):
        typer.echo(f"  {line}")
    for fault in faults:
        typer.echo(f"rentopt: {fault}", err=True)
    if faults:
        raise typer.Exit(UNSOUND_EXIT)
    typer.echo("nothing is wrong")


def _store(config: Config) -> Iterator[str]:
    now = datetime.now(UTC)
    with opened(config, create=False) as prices:
        typer.echo(f"size: {prices.size_bytes() / 2**20:.1f} MiB")
        yield from prices.check()
        for row in prices.status():
            age, why = price_age(row, now), f": {row.last_error}" if row.last_error else ""
            if row.last_published is None:
                yield f"{row.adapter} was never published{why}"
            elif age > config.max_age:
                yield f"{row.adapter} is {age.total_seconds() / 3600:.0f} h old{why}"
            if row.quarantined:
                since = f"{row.quarantined.known_at:%Y-%m-%d %H:%M}"
                yield f"a table of {row.adapter} is in quarantine since {since}"


def _lock(config: Config) -> Iterator[str]:
    from providers.lock import lock_owner

    owner = lock_owner(config.store_url)
    yield f"lock: held by {owner}" if owner else "lock: free"


def _keys(config: Config) -> Iterator[str]:
    """Which sources have what they need; names of variables, never what is in them."""
    from providers.config import credentials
    from providers.refresh import FX, sources
    from providers.registry import load_adapter

    for name in sources([], config):
        if name == FX:
            continue
        adapter = load_adapter(name)
        known = credentials(config.provider(name), name)
        missing = [variable for variable in adapter.variables if not known.get(variable)]
        if not adapter.variables:
            state = "needs none"
        elif not missing:
            state = "set"
        else:
            state = f"{'may be given' if adapter.keyless else 'not set'}: {', '.join(missing)}"
        yield f"{name:15} {state}"


def vacuum(
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, help="Drop raw answers older than this.", show_default="400"),
    ] = None,
    store: StoreUrl = None,
) -> None:
    """Drop old raw answers and give the space back. Prices are never dropped."""
    from providers.config import load_config

    config = load_config(store=store)
    with held(config, create=False) as prices:
        before = prices.size_bytes()
        dropped = prices.prune_snapshots(keep_days or config.refresh.keep_snapshots_days)
        prices.vacuum()
        after = prices.size_bytes()
    typer.echo(f"{dropped} raw answers dropped; {before / 2**20:.1f} -> {after / 2**20:.1f} MiB")


def migrate(store: StoreUrl = None) -> None:
    """Bring a store of an earlier version up to date; the first command does it for a file."""
    from providers.config import load_config
    from providers.errors import needing

    with needing("live"):
        from providers.store import open_store

    config = load_config(store=store)
    with open_store(config.store_url, create=False, migrate=True):
        typer.echo("the store is up to date")


def backup(
    path: Annotated[Path, typer.Argument(help="File to write.")],
    store: StoreUrl = None,
) -> None:
    """Copy the store while it is in use."""
    from optimizer.cli.plan import check_writable
    from providers.config import load_config

    check_writable(path)
    with opened(load_config(store=store), create=False) as prices:
        prices.backup(path)
    typer.echo(f"wrote {path}", err=True)


def _shown(url: str) -> str:
    """A server's address without its password."""
    from providers.redaction import redacted

    return redacted(url) if "://" in url else url
