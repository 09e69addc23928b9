"""``rentopt offers``: who rents which machine, on what terms, at what price, and how old it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.price_options import ANY_PRICES, PlanStore, Prices, Quotes, Today, table_book
from providers.terms import PurchaseModel, Tier

if TYPE_CHECKING:
    from providers.offers import Filter, Offer, OfferBook, Selection

STALE_DAYS = 90
"""A price older than this is flagged."""

_MONTH_DAYS = (28, 31)


class OutputFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class Confidence(StrEnum):
    A = "A"
    B = "B"
    C = "C"


class SortKey(StrEnum):
    PRICE = "price"
    AGE = "age"
    GPU = "gpu"
    PROVIDER = "provider"
    MEMORY = "memory"


def amount(text: str) -> Decimal:
    """A price typed on the command line, exact."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"'{text}' is not a number") from None
    if not value.is_finite() or value <= 0:
        raise typer.BadParameter(f"'{text}' is not a price above 0")
    return value


def offers(
    gpu: Annotated[
        list[str] | None, typer.Option(help="Family or id, such as A800; may be repeated.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="GPUs in one machine.")] = None,
    min_memory: Annotated[
        float | None, typer.Option(min=0, help="Least memory of one GPU, in GB.")
    ] = None,
    provider: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="What the region begins with; may be repeated.")
    ] = None,
    term: Annotated[
        str | None, typer.Option(help="hour, day, week, month, year, or a tenor such as P3Y.")
    ] = None,
    model: Annotated[
        list[PurchaseModel] | None, typer.Option(help="Purchase model; may be repeated.")
    ] = None,
    tier: Annotated[list[Tier] | None, typer.Option(help="May be repeated.")] = None,
    max_price: Annotated[
        Decimal | None,
        typer.Option(parser=amount, metavar="AMOUNT", help="Per GPU-hour, in --currency."),
    ] = None,
    currency: Annotated[str, typer.Option(help="Currency to compare in.")] = "CNY",
    confidence: Annotated[
        Confidence, typer.Option(help="Worst confidence to show; C adds approximate prices.")
    ] = Confidence.B,
    table: Annotated[str, typer.Option(help="Bundled price table.")] = "current",
    quotes: Quotes = None,
    as_of: Today = None,
    prices: Prices = ANY_PRICES,
    store: PlanStore = None,
    summary: Annotated[
        bool,
        typer.Option("--summary", help="A row for each GPU, seller and terms: how many, p10 …"),
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Most rows to show; 0 shows all.")] = 30,
    sort: Annotated[SortKey, typer.Option(help="Order of the rows.")] = SortKey.PRICE,
    format: Annotated[OutputFormat, typer.Option("--format", help="Form of the output.")] = (
        OutputFormat.TABLE
    ),
) -> None:
    """List rental offers, cheapest GPU-hour first, with the age and quality of each price."""
    from providers.offers import select

    currency = known_currency(currency)
    book = table_book(table, as_of, quotes, prices, store)
    filters: list[Filter] = []

    def keep(wanted: object, reason: str, test: Callable[[Offer], bool]) -> None:
        if wanted:
            filters.append((reason, test))

    names = [known_gpu(name) for name in gpu or ()]
    sellers = {
        _known(name, {o.provider for o in book.offers}, "provider") for name in provider or ()
    }
    term_test = _term_test(term) if term else None
    keep(names, "another GPU", lambda o: any(_is_gpu(o, name) for name in names))
    keep(count, f"not to be had with {count} GPUs on a host", lambda o: _has_count(o, count))
    keep(min_memory, "too little memory per GPU", lambda o: _memory(o) >= (min_memory or 0))
    keep(sellers, "another provider", lambda o: o.provider in sellers)
    keep(region, "another region", lambda o: any(_in_region(o, name) for name in region or ()))
    keep(term, "another term", lambda o: term_test is not None and term_test(o))
    keep(model, "another purchase model", lambda o: o.purchase_model in (model or ()))
    keep(tier, "another tier", lambda o: o.tier in (tier or ()))
    worst = f"confidence below {confidence} (--confidence C shows it)"
    keep(True, worst, lambda o: o.confidence <= confidence)
    keep(
        max_price,
        f"dearer than {max_price} {currency} per GPU-hour",
        lambda o: max_price is None or book.per_gpu_hour(o, currency) <= max_price,
    )
    chosen = select(book.offers, filters)
    chosen.kept.sort(key=_order(sort, book, currency))
    if summary:
        _print_summary(book, chosen, currency, limit, format)
        return
    shown = chosen.kept[:limit] if limit else chosen.kept
    if format is OutputFormat.JSON:
        _print_json(book, chosen, shown, currency, count)
    else:
        _print_rows(book, chosen, shown, currency, count, format)


def _print_rows(
    book: OfferBook,
    chosen: Selection,
    shown: list[Offer],
    currency: str,
    count: int | None,
    format: OutputFormat,
) -> None:
    from optimizer.report.tables import Column, render

    columns: list[str | Column] = [
        Column("#", right=True),
        "GPU",
        "provider",
        "region",
        "tier",
        "billing",
        Column(f"{currency}/GPU-hour", right=True),
        Column("as quoted", right=True),
        Column("VRAM GB", right=True),
        Column("age d", right=True),
        "flags",
    ]
    rows = [
        (
            rank,
            f"{_gpus(offer, count)}x {offer.gpu}",
            offer.provider,
            offer.region,
            offer.tier.value,
            _billing(offer),
            f"{book.per_gpu_hour(offer, currency):.4f}",
            _as_quoted(offer, count),
            f"{_memory(offer) * _gpus(offer, count):g}",
            offer.age_days(book.as_of),
            ", ".join(_flags(offer, book, count)),
        )
        for rank, offer in enumerate(shown, 1)
    ]
    typer.echo(render(columns, rows, format.value), nl=False)
    footer = _footer(book, chosen, shown, currency)
    if format is OutputFormat.MD:
        footer = ["", *(f"- {line}" for line in footer)]
    for line in footer:
        typer.echo(line, err=format is OutputFormat.CSV)


def _print_summary(
    book: OfferBook, chosen: Selection, currency: str, limit: int, format: OutputFormat
) -> None:
    from optimizer.report.market_summary import COLUMNS, summary
    from optimizer.report.tables import Column, render

    groups = summary(
        chosen.kept,
        lambda offer: book.per_gpu_hour(offer, currency),
        lambda offer: offer.age_days(book.as_of),
    )
    cells = [group.cells for group in (groups[:limit] if limit else groups)]
    if format is OutputFormat.JSON:
        titles = [c.title if isinstance(c, Column) else c for c in COLUMNS]
        rows = [dict(zip(titles, row, strict=True)) for row in cells]
        body = {"currency": currency, "per": "GPU-hour", "groups": rows}
        typer.echo(json.dumps(body, indent=2, ensure_ascii=False))
        return
    typer.echo(render(COLUMNS, cells, format.value), nl=False)
    said = f"{len(cells)} shown of {len(groups)} groups; {currency} per GPU-hour"
    typer.echo(said, err=format is OutputFormat.CSV)


def _footer(book: OfferBook, chosen: Selection, shown: list[Offer], currency: str) -> list[str]:
    lines = [
        f"{len(shown)} shown of {len(chosen.kept)} that match, {len(book.offers)} in the table"
    ]
    lines += [f"excluded: {number:4} {why}" for why, number in chosen.excluded.most_common()]
    lines.append(f"price table: {', '.join(book.tables)}; age and validity as of {book.as_of}")
    for rate in _rates(book, shown, currency):
        lines.append(
            f"exchange rate: 1 {rate.base} = {rate.value:.4f} {rate.quote} on {rate.day}"
            f" ({rate.source})"
        )
    if shown:
        oldest = min(shown, key=lambda offer: offer.observed_at)
        lines.append(f"oldest price shown: {oldest.observed_at}, {oldest.sku}")
    return lines


def _print_json(
    book: OfferBook,
    chosen: Selection,
    shown: list[Offer],
    currency: str,
    count: int | None,
) -> None:
    oldest = min((offer.observed_at for offer in shown), default=None)
    document: dict[str, Any] = {
        "tables": list(book.tables),
        "as_of": book.as_of.isoformat(),
        "currency": currency,
        "exchange_rates": [
            {
                "base": rate.base,
                "quote": rate.quote,
                "rate": str(rate.value),
                "day": rate.day.isoformat(),
                "source": rate.source,
            }
            for rate in _rates(book, shown, currency)
        ],
        "shown": len(shown),
        "matching": len(chosen.kept),
        "in_table": len(book.offers),
        "excluded": dict(chosen.excluded.most_common()),
        "oldest_price": oldest.isoformat() if oldest else None,
        "offers": [_as_json(book, offer, currency, count) for offer in shown],
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _as_json(book: OfferBook, offer: Offer, currency: str, count: int | None) -> dict[str, Any]:
    return {
        "sku": offer.sku,
        "provider": offer.provider,
        "instance_type": offer.instance_type,
        "region": offer.region,
        "tier": offer.tier,
        "gpu": offer.gpu,
        "gpu_count": offer.gpu_count,
        "gpus_on_one_host": _gpus(offer, count),
        "memory_gb_per_gpu": _memory(offer),
        "interconnect": offer.interconnect,
        "purchase_model": offer.purchase_model,
        "increment": offer.increment,
        "tenor": str(offer.tenor) or None,
        "price": {"amount": f"{offer.price.amount:f}", "currency": offer.price.currency},
        "upfront": {"amount": f"{offer.upfront.amount:f}", "currency": offer.upfront.currency},
        "per_gpu_hour": {
            "amount": f"{book.per_gpu_hour(offer, currency):.6f}",
            "currency": currency,
        },
        "tax_included": offer.tax_included,
        "observed_at": offer.observed_at.isoformat(),
        "age_days": offer.age_days(book.as_of),
        "valid_until": offer.valid_until.isoformat() if offer.valid_until else None,
        "confidence": offer.confidence,
        "flags": _flags(offer, book, count),
        "source": offer.source,
        "note": offer.note,
    }


def _rates(book: OfferBook, shown: list[Offer], currency: str) -> list[Any]:
    foreign = sorted({offer.price.currency for offer in shown} - {currency})
    return [book.fx.rate(base, currency, book.as_of) for base in foreign]


def _flags(offer: Offer, book: OfferBook, count: int | None) -> list[str]:
    age = offer.age_days(book.as_of)
    flags = {
        f"older than {STALE_DAYS} d": age > STALE_DAYS,
        "dated after --as-of": age < 0,
        "low confidence": offer.confidence == "C",
        "assumption": "ASSUMPTION" in offer.note or _gpus(offer, count) > offer.gpu_count,
        "tax included": offer.tax_included is True,
        "before tax": offer.tax_included is False,
        "tax not stated": offer.tax_included is None,
    }
    return [flag for flag, raised in flags.items() if raised]


def _billing(offer: Offer) -> str:
    terms = f"{offer.purchase_model} {offer.tenor}" if offer.tenor else offer.purchase_model.value
    return f"{terms}, per {offer.increment}"


def _as_quoted(offer: Offer, count: int | None) -> str:
    # A price billed by the second is quoted per hour.
    unit = "hour" if offer.increment == "second" else offer.increment.value
    machines = _gpus(offer, count) // offer.gpu_count
    times = f"{machines} x " if machines > 1 else ""
    upfront = f" + {offer.upfront.amount:f} upfront" if offer.upfront.amount else ""
    return f"{times}{offer.price.amount:f} {offer.price.currency}/{unit}{upfront}"


def _gpus(offer: Offer, count: int | None) -> int:
    return count if count is not None and _has_count(offer, count) else offer.gpu_count


def _has_count(offer: Offer, count: int | None) -> bool:
    if count is None or count == offer.gpu_count:
        return True
    return count <= offer.max_gpus_per_host and count % offer.gpu_count == 0


def _memory(offer: Offer) -> float:
    from providers.hardware import accelerators

    return accelerators()[offer.gpu].memory_gb


def _is_gpu(offer: Offer, wanted: str) -> bool:
    from providers.hardware import in_family

    return in_family(offer.gpu, wanted)


def _in_region(offer: Offer, wanted: str) -> bool:
    return offer.region.lower().startswith(wanted.lower())


def _term_test(term: str) -> Callable[[Offer], bool]:
    from providers.strict_table import near
    from providers.terms import Tenor

    words = ("hour", "day", "week", "month", "year")
    if term.lower() in words:
        return lambda offer: _term_word(offer) == term.lower()
    try:
        tenor = Tenor.parse(term.upper())
    except ValueError:
        hint = near(term, words)
        raise typer.BadParameter(f"'{term}' is no term; {hint}", param_hint="--term") from None
    return lambda offer: offer.tenor == tenor


def _term_word(offer: Offer) -> str:
    """How long one is bound: the tenor as a word where it has one, else the billing increment."""
    if not offer.tenor:
        return "hour" if offer.increment == "second" else offer.increment.value
    days = offer.tenor.about_days
    if _MONTH_DAYS[0] <= days <= _MONTH_DAYS[1]:
        return "month"
    return {1: "day", 7: "week", 365: "year"}.get(round(days), str(offer.tenor))


def _order(sort: SortKey, book: OfferBook, currency: str) -> Callable[[Offer], tuple[Any, ...]]:
    def price(offer: Offer) -> Decimal:
        return book.per_gpu_hour(offer, currency)

    keys: dict[SortKey, Callable[[Offer], Any]] = {
        SortKey.PRICE: price,
        SortKey.AGE: lambda offer: offer.age_days(book.as_of),
        SortKey.GPU: lambda offer: offer.gpu,
        SortKey.PROVIDER: lambda offer: offer.provider,
        SortKey.MEMORY: lambda offer: -_memory(offer) * offer.gpu_count,
    }
    return lambda offer: (keys[sort](offer), price(offer), offer.sku)


def known_gpu(name: str) -> str:
    from providers.hardware import accelerator_id, accelerators, in_family

    if not any(in_family(card, name) for card in accelerators()):
        accelerator_id(name)  # raises with the nearest names
    return name


def known_currency(name: str) -> str:
    from providers.money import CURRENCIES

    return _known(name.upper(), set(CURRENCIES), "currency")


def _known(name: str, known: set[str], what: str) -> str:
    from providers.strict_table import near

    if name.lower() not in {item.lower() for item in known}:
        hint = near(name, sorted(known))
        raise typer.BadParameter(
            f"'{name}' is no {what}; {hint}".rstrip("; "), param_hint=f"--{what}"
        )
    return next(item for item in known if item.lower() == name.lower())
