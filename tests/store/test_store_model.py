"""The store against the plainest thing that could be right: a list of whole tables."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import SAMPLE, day, table

from providers.money import CURRENCIES, Money
from providers.offers import Offer
from providers.store import PriceStore
from providers.terms import Increment, PurchaseModel, Tenor, Tier

_names = itertools.count()
several = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
)
numbers = st.decimals(0, 10**15, allow_nan=False, allow_infinity=False)
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@st.composite
def any_offer(draw: st.DrawFn, sku: str) -> Offer:
    """An offer of any content that `Offer` takes."""
    currency = draw(st.sampled_from(CURRENCIES))
    price, upfront = draw(numbers), draw(numbers)
    gpus, least = draw(st.integers(1, 16)), draw(st.integers(1, 9))
    return Offer(
        provider=draw(texts),
        sku=sku,
        instance_type=draw(texts),
        region=draw(texts),
        tier=draw(st.sampled_from(Tier)),
        gpu=draw(texts),
        gpu_count=gpus,
        interconnect=draw(texts),
        vcpu=draw(st.none() | numbers),
        ram_gb=draw(st.none() | numbers),
        purchase_model=draw(st.sampled_from(PurchaseModel)),
        increment=draw(st.sampled_from(Increment)),
        tenor=draw(
            st.builds(Tenor, months=st.integers(0, 72)) | st.builds(Tenor, days=st.integers(0, 400))
        ),
        price=Money(price if price or upfront else Decimal(1), currency),
        upfront=Money(upfront, currency),
        tax_included=draw(st.sampled_from([None, True, False])),
        min_units=least,
        max_units=draw(st.none() | st.integers(least, 10**15)),
        max_gpus_per_host=draw(st.integers(gpus, 64)),
        observed_at=draw(days),
        valid_until=draw(st.none() | days),
        confidence=draw(st.sampled_from("ABC")),
        source=draw(texts),
        note=draw(st.just("") | texts),
    )


@st.composite
def any_table(draw: st.DrawFn) -> list[Offer]:
    skus = draw(st.lists(texts, unique=True, max_size=4))
    return [draw(any_offer(sku)) for sku in skus]


@several
@given(found=any_table())
def test_any_offer_comes_back_whole(shared_store: PriceStore, found: list[Offer]) -> None:
    name = f"any-{next(_names)}"
    at = day(2000)  # later than any day of observation
    shared_store.publish(table(at, found, adapter=name), started_at=at, now=at)
    back = shared_store.offers(as_of=at, adapters=[name])[name]
    assert back == sorted(found, key=lambda offer: offer.sku)
    number = shared_store.quarantine(table(at, found, adapter=name), ["odd"], started_at=at)
    assert shared_store.held_offers(number) == found


@dataclass
class Entry:
    """One published table of the model."""

    valid: int
    known: int
    imported: bool
    offers: dict[str, Offer]

    def observed(self, offer: Offer) -> date:
        today = day(self.valid).date()
        own = offer.observed_at
        return today if not self.imported and own >= today else own


@dataclass
class Model:
    entries: list[Entry] = field(default_factory=list)

    def behind(self, as_of: int, known: int | None) -> Entry | None:
        """Of the tables that began by then, as known then: the latest; of two, the later known."""
        there = [
            entry
            for entry in self.entries
            if entry.valid <= as_of and (known is None or entry.known <= known)
        ]
        return (
            max(enumerate(there), key=lambda pair: (pair[1].valid, pair[0]))[1] if there else None
        )

    def offers(self, as_of: int, known: int | None) -> list[Offer] | None:
        entry = self.behind(as_of, known)
        if entry is None:
            return None
        return [
            replace(offer, observed_at=entry.observed(offer))
            for _, offer in sorted(entry.offers.items())
        ]


@st.composite
def step(draw: st.DrawFn) -> tuple[int, int, bool, dict[str, Offer]]:
    """A table of few skus, with few prices and notes, so that things stay, change and return."""
    valid = draw(st.integers(0, 6))
    offers = {}
    for sku in draw(st.sets(st.sampled_from("abc"))):
        older = draw(st.sampled_from([0, 0, 0, 1]))
        offers[sku] = replace(
            SAMPLE,
            sku=sku,
            price=Money(Decimal(draw(st.sampled_from(["1", "2.50"]))), "USD"),
            note=draw(st.sampled_from(["", "x"])),
            max_units=draw(st.sampled_from([None, 4])),
            observed_at=day(valid).date() - timedelta(days=older),
        )
    return valid, draw(st.integers(0, 2)), draw(st.booleans()), offers


@several
@given(steps=st.lists(step(), min_size=1, max_size=7))
def test_any_order_of_tables_answers_as_the_list_of_them_would(
    shared_store: PriceStore, steps: list[tuple[int, int, bool, dict[str, Offer]]]
) -> None:
    name, model, known = f"model-{next(_names)}", Model(), 0
    for valid, later, imported, offers in steps:
        known += later
        before = {o.sku: o for o in model.offers(valid, None) or []}
        entry = Entry(valid, known, imported, offers)
        at, now = day(valid), day(known)
        if imported:
            done = shared_store.import_offers(
                name, list(offers.values()), valid_from=at, now=now, note=""
            )
        else:
            visit = table(at, offers.values(), adapter=name)
            done = shared_store.publish(visit, started_at=at, now=now)
        model.entries.append(entry)
        assert done.added == len(offers.keys() - before.keys())
        assert done.vanished == len(before.keys() - offers.keys())
        assert done.changed + done.unchanged == len(offers.keys() & before.keys())
    for as_of in range(-1, 8):
        for known_at in (None, *range(known + 1)):
            moment = None if known_at is None else day(known_at)
            found = shared_store.offers(as_of=day(as_of), known_at=moment, adapters=[name])
            assert found.get(name) == model.offers(as_of, known_at)
