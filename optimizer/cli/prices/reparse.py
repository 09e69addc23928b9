"""``rentopt prices reparse``: read kept answers again with today's parser."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer.cli.price_options import StoreUrl
from optimizer.cli.prices.store import held

MOST_SHOWN = 20


def reparse(
    provider: Annotated[str, typer.Argument(help="Source.")],
    run: Annotated[
        int | None, typer.Option(help="Which refresh, by its run id.", show_default="the newest")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Keep what differs, in force since that refresh.")
    ] = False,
    store: StoreUrl = None,
) -> None:
    """Parse the answers of an earlier refresh again, ask nobody, and show what differs."""
    from providers.adapter import Snapshots, read_table
    from providers.config import load_config
    from providers.errors import RentoptError
    from providers.live import Settings
    from providers.registry import load_adapter

    config = load_config(store=store)
    how = config.provider(provider)
    kind = load_adapter(provider)
    with held(config, create=False) as prices:
        visible = [r for r in prices.runs(provider, limit=1000) if r.status == "published"]
        chosen = next((r for r in visible if run in (None, r.id)), None)
        if chosen is None or chosen.observed_at is None:
            which = "published run" if run is None else f"published run {run}"
            raise RentoptError(f"there is no {which} of {provider}")
        adapter = kind(Settings(base_url=how.base_url, options=how.options))
        table = read_table(Snapshots(provider, list(prices.snapshots(chosen.id)), adapter.parse))
        tables = prices.offers(as_of=chosen.observed_at, adapters=[provider])
        was = {offer.sku: offer for offer in tables.get(provider, [])}
        now = {offer.sku: offer for offer in table.offers}
        moved = sorted(sku for sku in was.keys() | now.keys() if was.get(sku) != now.get(sku))
        for sku in moved[:MOST_SHOWN]:
            word = "new" if sku not in was else "gone" if sku not in now else "differs"
            typer.echo(f"  {word:8} {sku}")
        typer.echo(
            f"{provider}, run {chosen.id} of {chosen.observed_at:%Y-%m-%d %H:%M}: "
            f"{len(now)} offers, {len(moved)} differ from what was kept"
        )
        if apply and moved:
            note = f"parsed again from the answers of run {chosen.id}"
            done = prices.import_offers(
                provider, table.offers, valid_from=chosen.observed_at, note=note
            )
            typer.echo(f"kept: {done.added} new, {done.changed} changed, {done.vanished} gone")
