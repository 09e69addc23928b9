"""``rentopt hardware``: the GPUs and machines that are known, and what they cost to buy."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from providers.hardware import Accelerator
    from providers.offers import HardwareOffer, OfferBook


class OutputFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class Stack(StrEnum):
    CUDA = "cuda"
    ROCM = "rocm"
    METAL = "metal"
    CANN = "cann"
    HABANA = "habana"


def hardware(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Families or ids, such as 4090 or 'A100 80GB'; all when left out."),
    ] = None,
    prices: Annotated[
        bool, typer.Option("--prices", help="Purchase prices instead of figures.")
    ] = False,
    stack: Annotated[
        list[Stack] | None, typer.Option(help="Software it runs; may be repeated.")
    ] = None,
    min_memory: Annotated[float | None, typer.Option(min=0, help="Least memory, in GB.")] = None,
    currency: Annotated[str, typer.Option(help="Currency to compare prices in.")] = "CNY",
    table: Annotated[str, typer.Option(help="Bundled price table.")] = "current",
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day to judge the age of prices by.", show_default="today"
        ),
    ] = None,
    format: Annotated[OutputFormat, typer.Option("--format", help="Form of the output.")] = (
        OutputFormat.TABLE
    ),
) -> None:
    """List accelerators with the figures that sizing uses, or what they cost to buy."""
    from providers.hardware import accelerator_id, accelerators, in_family

    for name in names or ():
        if not any(in_family(card, name) for card in accelerators()):
            accelerator_id(name)  # raises with the nearest names
    cards = [
        card
        for card in accelerators().values()
        if (not names or any(in_family(card.id, name) for name in names))
        and (not stack or card.stack in stack)
        and card.memory_gb >= (min_memory or 0)
    ]
    if prices:
        from providers.book import bundled_book

        book = bundled_book(table, as_of=(as_of or datetime.now()).date())
        _print_prices(book, {card.id for card in cards}, currency.upper(), format)
    else:
        _print_cards(cards, detailed=bool(names), format=format)


def _print_cards(cards: list[Accelerator], *, detailed: bool, format: OutputFormat) -> None:
    if format is OutputFormat.JSON:
        document = {"accelerators": [asdict(card) for card in cards]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    from optimizer.report.tables import Column, render

    columns: list[str | Column] = [
        "id",
        "family",
        "stack",
        Column("memory GB", right=True),
        Column("GB/s", right=True),
        Column("FP16 TFLOPS", right=True),
        Column("FP8", right=True),
        Column("INT8 TOPS", right=True),
        Column("W", right=True),
        Column("NVLink GB/s", right=True),
        Column("host GB/s", right=True),
        "P2P",
        "checked",
    ]
    rows = [
        (
            card.id,
            card.family,
            card.stack,
            _figure(card.memory_gb),
            _figure(card.bandwidth_gb_s),
            _figure(card.fp16_tflops),
            _figure(card.fp8_tflops),
            _figure(card.int8_tops),
            _figure(card.tdp_w),
            _figure(card.nvlink_gb_s),
            _figure(card.host_link_gb_s),
            "yes" if card.p2p else "no",
            "partly" if _unverified(card) else "yes",
        )
        for card in cards
    ]
    typer.echo(render(columns, rows, format.value), nl=False)
    notes = [f"{len(cards)} accelerators; '-' is a figure that is not known"]
    if detailed:
        notes += [f"{card.id}: {card.note or 'no note'} [{card.source}]" for card in cards]
    for line in notes:
        typer.echo(
            f"- {line}" if format is OutputFormat.MD else line, err=format is OutputFormat.CSV
        )


def _print_prices(book: OfferBook, gpus: set[str], currency: str, format: OutputFormat) -> None:
    chosen = [offer for offer in book.hardware_offers if offer.kind.gpu in gpus]
    chosen.sort(key=lambda offer: (offer.kind, offer.observed_at, offer.item))
    if format is OutputFormat.JSON:
        document = {
            "tables": list(book.tables),
            "as_of": book.as_of.isoformat(),
            "currency": currency,
            "purchase_prices": [_price_json(book, offer, currency) for offer in chosen],
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    from optimizer.report.tables import Column, render

    columns: list[str | Column] = [
        "machine",
        "item",
        "condition",
        "complete",
        Column("as quoted", right=True),
        Column(f"{currency} per GPU", right=True),
        Column("age d", right=True),
        "confidence",
        "tax",
    ]
    rows = [
        (
            offer.kind,
            offer.item,
            offer.condition,
            "yes" if offer.complete else "no",
            _range(offer),
            f"{_per_gpu(book, offer, currency):,.0f}",
            (book.as_of - offer.observed_at).days,
            offer.confidence,
            {True: "included", False: "excluded", None: "not stated"}[offer.tax_included],
        )
        for offer in chosen
    ]
    typer.echo(render(columns, rows, format.value), nl=False)
    typer.echo(
        f"{len(chosen)} purchase prices of {len(book.hardware_offers)} in table "
        f"{', '.join(book.tables)}; price per GPU is the middle of the range",
        err=format is OutputFormat.CSV,
    )


def _price_json(book: OfferBook, offer: HardwareOffer, currency: str) -> dict[str, Any]:
    return {
        "item": offer.item,
        "kind": str(offer.kind),
        "condition": offer.condition,
        "complete": offer.complete,
        "low": {"amount": f"{offer.low.amount:f}", "currency": offer.low.currency},
        "high": {"amount": f"{offer.high.amount:f}", "currency": offer.high.currency},
        "per_gpu": {"amount": f"{_per_gpu(book, offer, currency):.2f}", "currency": currency},
        "tax_included": offer.tax_included,
        "observed_at": offer.observed_at.isoformat(),
        "age_days": (book.as_of - offer.observed_at).days,
        "confidence": offer.confidence,
        "source": offer.source,
        "note": offer.note,
    }


def _per_gpu(book: OfferBook, offer: HardwareOffer, currency: str) -> Any:
    return book.in_currency(offer.middle, currency).amount / offer.kind.count


def _range(offer: HardwareOffer) -> str:
    low, high = offer.low.amount, offer.high.amount
    span = f"{low:,f}" if low == high else f"{low:,f} to {high:,f}"
    return f"{span} {offer.low.currency}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _unverified(card: Accelerator) -> bool:
    return "verified" in f"{card.note} {card.source}"
