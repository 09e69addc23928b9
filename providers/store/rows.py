"""Offers as rows of plain values, and back, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

from providers.money import Money
from providers.offers import Offer
from providers.terms import Increment, PurchaseModel, Tenor, Tier

TERMS = (
    "provider", "instance_type", "region", "tier", "gpu", "gpu_count", "interconnect", "vcpu",
    "ram_gb", "purchase_model", "increment", "tenor", "currency", "tax_included", "min_units",
    "max_gpus_per_host", "confidence", "source",
)  # fmt: skip
"""Columns of `terms`, in the order of `terms_row`."""
PRICED = ("price", "upfront", "max_units", "valid_until")
"""Columns of `version`, in the order of `priced_row`; note and day of observation come besides."""

said = attrgetter(
    "provider", "instance_type", "region", "tier", "gpu", "gpu_count", "interconnect", "vcpu",
    "ram_gb", "purchase_model", "increment", "tenor", "price", "upfront", "tax_included",
    "min_units", "max_units", "max_gpus_per_host", "valid_until", "confidence", "note",
)  # fmt: skip
"""All that makes two offers of one sku differ. Not the day it was seen, and not the address it was
read at: a listing of many pages gives a row another address when rows before it come or go."""
texts = attrgetter(
    "sku", "provider", "instance_type", "region", "gpu", "interconnect", "source", "note"
)
"""What a source may have written anything into."""

T = TypeVar("T")


def storable(text: str) -> str:
    """The text without what a database cannot hold: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _maybe(value: object) -> str | None:
    return None if value is None else str(value)


def terms_row(offer: Offer) -> tuple[object, ...]:
    return (
        offer.provider, offer.instance_type, offer.region, offer.tier.value, offer.gpu,
        offer.gpu_count, offer.interconnect, _maybe(offer.vcpu), _maybe(offer.ram_gb),
        offer.purchase_model.value, offer.increment.value, str(offer.tenor), offer.price.currency,
        offer.tax_included, offer.min_units, offer.max_gpus_per_host, offer.confidence,
        offer.source,
    )  # fmt: skip


def priced_row(offer: Offer) -> tuple[object, ...]:
    return (
        str(offer.price.amount), str(offer.upfront.amount), offer.max_units,
        _maybe(offer.valid_until),
    )  # fmt: skip


class _Cached(dict[str, T]):
    """Each value made once: a table has few tenors, days and amounts, and many offers."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> T:
        made = self[text] = self._make(text)
        return made


class Reader:
    """Makes offers of rows."""

    def __init__(self) -> None:
        self._number = _Cached(Decimal)
        self._day = _Cached(date.fromisoformat)
        self._tenor = _Cached(lambda text: Tenor.parse(text) if text else Tenor())
        self._tier, self._model = _Cached(Tier), _Cached(PurchaseModel)
        self._increment = _Cached(Increment)
        self._money: dict[tuple[str, str], Money] = {}

    def _amount(self, text: str, currency: str) -> Money:
        money = self._money.get((text, currency))
        if money is None:
            money = self._money[text, currency] = Money(self._number[text], currency)
        return money

    def offer(
        self, sku: str, terms: Sequence[Any], priced: Sequence[Any], observed: str, note: str
    ) -> Offer:
        """The offer of a `terms_row` and a `priced_row`."""
        (
            provider, instance_type, region, tier, gpu, gpu_count, interconnect, vcpu, ram_gb,
            model, increment, tenor, currency, tax_included, min_units, max_gpus, confidence,
            source,
        ) = terms  # fmt: skip
        price, upfront, max_units, valid_until = priced
        # By position: 20,000 of them are made at once, and names cost a third more.
        return Offer(
            provider, sku, instance_type, region, self._tier[tier], gpu, gpu_count, interconnect,
            None if vcpu is None else self._number[vcpu],
            None if ram_gb is None else self._number[ram_gb],
            self._model[model], self._increment[increment], self._tenor[tenor],
            self._amount(price, currency), self._amount(upfront, currency),
            None if tax_included is None else bool(tax_included),
            min_units, max_units, max_gpus, self._day[observed],
            None if valid_until is None else self._day[valid_until],
            confidence, source, note,
        )  # fmt: skip


def offer_document(offer: Offer) -> list[object]:
    """The whole offer as JSON values."""
    return [
        offer.sku, *terms_row(offer), *priced_row(offer), str(offer.observed_at), offer.note,
    ]  # fmt: skip


def offer_of(document: Sequence[Any], reader: Reader) -> Offer:
    """The offer that `offer_document` wrote."""
    sku, rest = document[0], document[1:]
    priced, (observed, note) = rest[len(TERMS) : -2], rest[-2:]
    return reader.offer(sku, rest[: len(TERMS)], priced, observed, note)
