"""``rentopt prices history`` and ``diff``: what prices did."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import StoreUrl
from optimizer.cli.prices.status import StatusFormat
from optimizer.cli.prices.store import opened

if TYPE_CHECKING:
    from providers.offers import Offer
    from providers.store import PriceChange, PriceStore

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A day.")]


def history(
    gpu: Annotated[str, typer.Argument(help="GPU family or id, such as H800 or RTX4090.")],
    provider: Annotated[list[str] | None, typer.Option(help="Seller; repeatable.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day.", show_default="90 days ago"),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day.", show_default="today"),
    ] = None,
    currency: Annotated[str, typer.Option(help="Currency to compare in.")] = "CNY",
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw the cheapest GPU-hour by purchase model.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Most rows; 0 shows all.")] = 50,
    format: Annotated[StatusFormat, typer.Option("--format", help="Form of the output.")] = (
        StatusFormat.TABLE
    ),
    store: StoreUrl = None,
) -> None:
    """Every change of the prices of a GPU, newest first; --chart draws the cheapest."""
    from optimizer.cli.offers import known_currency, known_gpu
    from providers.config import load_config
    from providers.fx import bundled_fx
    from providers.hardware import accelerators, in_family

    wanted, currency = known_gpu(gpu), known_currency(currency)
    cards = [card for card in accelerators() if in_family(card, wanted)]
    last = end_of_day(until.date()) if until else datetime.now(UTC)
    first = _start(since.date()) if since else last - timedelta(days=90)
    with opened(load_config(store=store), create=False) as prices:
        found = prices.history(gpu=cards, until=last)  # older ones tell where a move began
        fx = prices.fx_table() or bundled_fx()
    changes = [c for c in found if not provider or c.offer.provider in provider]

    def hourly(change: PriceChange) -> Decimal:
        day = change.valid_from.date()
        return fx.convert(change.offer.per_gpu_hour, currency, day).amount

    if chart:
        from optimizer.report.price_chart import cheapest_by_model

        title = f"{gpu}: cheapest GPU-hour in {currency}"
        typer.echo(cheapest_by_model(changes, hourly, first, last, title))
        return
    changes.sort(key=lambda change: (change.valid_from, change.offer.sku), reverse=True)
    asked = [change for change in changes if change.valid_from >= first]
    shown = asked[:limit] if limit else asked
    _print(shown, _before(changes), hourly, currency, format)
    counted = f"{len(shown)} shown of {len(asked)} changes since {first:%Y-%m-%d}"
    typer.echo(counted, err=format is not StatusFormat.TABLE)


def _before(changes: Iterable[PriceChange]) -> dict[int, PriceChange]:
    """Each change → the one before it of the same offer; changes come newest first."""
    later: dict[tuple[str, str], PriceChange] = {}
    earlier = {}
    for change in changes:
        key = (change.adapter, change.offer.sku)
        if key in later:
            earlier[id(later[key])] = change
        later[key] = change
    return earlier


def _print(
    shown: Sequence[PriceChange],
    before: dict[int, PriceChange],
    hourly: Callable[[PriceChange], Decimal],
    currency: str,
    format: StatusFormat,
) -> None:
    from optimizer.report.tables import Column, render

    rows = []
    for change in shown:
        earlier = before.get(id(change))
        price = hourly(change)
        move = ""
        if not change.vanished and earlier is not None and not earlier.vanished:
            move = f"{price / hourly(earlier) - 1:+.1%}"
        rows.append(
            {
                "day": f"{change.valid_from:%Y-%m-%d}",
                "source": change.adapter,
                "sku": change.offer.sku,
                "what": "gone" if change.vanished else "new" if earlier is None else "changed",
                f"{currency}/GPU-hour": "" if change.vanished else f"{price:.4f}",
                "move": move,
            }
        )
    if format is StatusFormat.JSON:
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    numbers = (f"{currency}/GPU-hour", "move")
    titles = ["day", "source", "sku", "what", *numbers]
    columns = [Column(title, right=title in numbers) for title in titles]
    cells = [[row[title] for title in titles] for row in rows]
    typer.echo(render(columns, cells, format.value), nl=False)


def diff(
    first: Day,
    second: Day,
    provider: Annotated[list[str] | None, typer.Option(help="Source; repeatable.")] = None,
    format: Annotated[StatusFormat, typer.Option("--format", help="Form of the output.")] = (
        StatusFormat.TABLE
    ),
    store: StoreUrl = None,
) -> None:
    """What is new, gone or dearer between the evenings of two days."""
    from optimizer.report.tables import Column, render
    from providers.config import load_config

    with opened(load_config(store=store), create=False) as prices:
        was, now = (_table(prices, day.date(), provider) for day in (first, second))
    rows = []
    for key in sorted(was.keys() | now.keys()):
        old, new = was.get(key), now.get(key)
        if old is None or new is None:
            word = "new" if old is None else "gone"
        elif (old.price, old.upfront) != (new.price, new.upfront):
            word = f"{new.per_gpu_hour.amount / old.per_gpu_hour.amount - 1:+.1%}"
        elif _terms(old) != _terms(new):
            word = "other terms"
        else:
            continue
        rows.append([key[0], key[1], _price(old), _price(new), word])
    titles = ["source", "sku", f"{first:%Y-%m-%d}", f"{second:%Y-%m-%d}", "change"]
    if format is StatusFormat.JSON:
        keys = ["source", "sku", "before", "after", "change"]
        typer.echo(
            json.dumps(
                [dict(zip(keys, r, strict=True)) for r in rows], indent=1, ensure_ascii=False
            )
        )
        return
    columns = [Column(title, right=number > 1) for number, title in enumerate(titles)]
    typer.echo(render(columns, rows, format.value), nl=False)
    typer.echo(f"{len(rows)} differences", err=format is not StatusFormat.TABLE)


def _table(
    prices: PriceStore, day: date, only: Sequence[str] | None
) -> dict[tuple[str, str], Offer]:
    tables = prices.offers(as_of=end_of_day(day), adapters=only or None)
    return {(name, offer.sku): offer for name, offers in tables.items() for offer in offers}


def _terms(offer: Offer) -> tuple[object, ...]:
    return (offer.max_units, offer.min_units, offer.valid_until, offer.tax_included, offer.note)


def _price(offer: Offer | None) -> str:
    if offer is None:
        return ""
    upfront = f" + {offer.upfront.amount:f}" if offer.upfront.amount else ""
    return f"{offer.price.amount:f}{upfront} {offer.price.currency}"


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def end_of_day(day: date) -> datetime:
    """The last microsecond of a day in UTC: everything that was known in its evening."""
    return datetime.combine(day, time.max, UTC)
