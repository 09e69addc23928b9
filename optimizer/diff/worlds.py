"""What a plan is billed with, and how one world turns into another, one value at a time.

A world is a schedule with its prices and exchange rates. Each substitution moves one value from
the first plan's world to the second's, so that its effect on the bill has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from optimizer.diff.results import Cause
from optimizer.problem import Problem
from optimizer.schedule.document import MoneyAssumptions, OwnedHardware, Purchase, ScheduleDocument
from optimizer.schedule.schedule import Schedule
from optimizer.verify.examine import whole_problem
from optimizer.verify.plan_document import PlanDocument
from providers.hardware import node_kind
from providers.offers import Offer, OfferBook, TokenOffer

Rates = dict[tuple[str, str], Decimal]
PRICED = ("price",)
"""Of a purchase: what is quoted; its other figures are assumptions."""
CHOICES = ("node", "max", "rack_units", "count", "available", "source")
"""Of hardware: what there is to decide on, which changes no bill."""


@dataclass(frozen=True, slots=True)
class World:
    schedule: Schedule
    """Without fixed rates: they are among the rates."""
    book: OfferBook

    @property
    def document(self) -> ScheduleDocument:
        return self.schedule.document

    def problem(self, plan: PlanDocument) -> Problem:
        return whole_problem(plan, self.schedule, self.book)

    def with_document(self, document: ScheduleDocument) -> World:
        return replace(self, schedule=replace(self.schedule, document=document))

    def with_money(self, **changes: Any) -> World:
        money = self.document.money.model_copy(update=changes)
        return self.with_document(self.document.model_copy(update={"money": money}))


def world(schedule: Schedule, book: OfferBook) -> World:
    """Rates that the schedule fixes go into the book, where all others are."""
    document = schedule.document
    fixed = {
        (pair.split("/")[0], pair.split("/")[1]): Decimal(str(rate))
        for pair, rate in document.money.fx.items()
    }
    book = replace(book, fx=replace(book.fx, fixed=fixed))
    rates = rates_of(book, schedule.currency)
    plain = World(schedule, replace(book, fx=replace(book.fx, fixed=rates)))
    return plain.with_money(fx={})


def rates_of(book: OfferBook, currency: str) -> Rates:
    """What one unit of every other currency among the prices costs."""
    quoted = {offer.price.currency for offer in book.offers}
    quoted |= {offer.input_per_million.currency for offer in book.token_offers}
    quoted |= {"CNY", "EUR", "USD"}
    return {
        (base, currency): book.fx.rate(base, currency, book.as_of).value
        for base in sorted(quoted - {currency})
    }


@dataclass(frozen=True, slots=True)
class Substitution:
    """One value that differs between two worlds."""

    cause: Cause
    name: str
    before: str
    after: str
    into: Callable[[World], World]


def substitutions(old: World, new: World) -> Iterator[Substitution]:
    """All of them, by cause in the order of `Cause`."""
    yield from _rates(old, new)
    yield from _offers(old, new)
    yield from _token_offers(old, new)
    yield from _hardware(old, new, Cause.PRICE)
    yield from _transfer(old, new)
    yield from _money(old, new)
    yield from _hardware(old, new, Cause.ASSUMPTION)


def _rates(old: World, new: World) -> Iterator[Substitution]:
    for pair, rate in sorted(new.book.fx.fixed.items()):
        before = old.book.fx.fixed.get(pair)
        if before is not None and before != rate:

            def into(found: World, pair: tuple[str, str] = pair, rate: Decimal = rate) -> World:
                fixed = {**found.book.fx.fixed, pair: rate}
                return replace(
                    found, book=replace(found.book, fx=replace(found.book.fx, fixed=fixed))
                )

            name = f"{pair[0]}/{pair[1]}"
            yield Substitution(Cause.FX, name, f"{before:.6g}", f"{rate:.6g}", into)


def _offers(old: World, new: World) -> Iterator[Substitution]:
    now = {offer.sku: offer for offer in new.book.offers}
    for offer in old.book.offers:
        later = now.get(offer.sku)
        if later is not None and _bill(offer) != _bill(later):

            def into(found: World, later: Offer = later) -> World:
                offers = tuple(later if o.sku == later.sku else o for o in found.book.offers)
                return replace(found, book=replace(found.book, offers=offers))

            yield Substitution(Cause.PRICE, offer.sku, offer.quoted, later.quoted, into)


def _bill(offer: Offer) -> tuple[object, ...]:
    """All that decides what an offer costs."""
    return (offer.price, offer.upfront, offer.increment, offer.tenor, offer.prepaid,
            offer.tax_included)  # fmt: skip


def _token_offers(old: World, new: World) -> Iterator[Substitution]:
    def called(offer: TokenOffer) -> str:
        return f"{offer.provider}/{offer.provider_model}"

    now = {called(offer): offer for offer in new.book.token_offers}
    for offer in old.book.token_offers:
        later = now.get(called(offer))
        if later is None or _per_token(offer) == _per_token(later):
            continue

        def into(found: World, name: str = called(offer), later: TokenOffer = later) -> World:
            offers = tuple(later if called(o) == name else o for o in found.book.token_offers)
            return replace(found, book=replace(found.book, token_offers=offers))

        yield Substitution(Cause.PRICE, called(offer), _per_token(offer), _per_token(later), into)


def _per_token(offer: TokenOffer) -> str:
    return f"{offer.input_per_million} in, {offer.output_per_million} out"


def _transfer(old: World, new: World) -> Iterator[Substitution]:
    before, after = old.document.market.transfer, new.document.market.transfer
    if before != after:

        def into(found: World) -> World:
            market = found.document.market.model_copy(update={"transfer": after})
            return found.with_document(found.document.model_copy(update={"market": market}))

        name = "market.transfer"
        yield Substitution(Cause.PRICE, name, said(before), said(after), into)


def _money(old: World, new: World) -> Iterator[Substitution]:
    for name in MoneyAssumptions.model_fields:
        before, after = getattr(old.document.money, name), getattr(new.document.money, name)
        if before != after:

            def into(found: World, name: str = name, after: object = after) -> World:
                return found.with_money(**{name: after})

            yield Substitution(Cause.ASSUMPTION, f"money.{name}", said(before), said(after), into)


def _hardware(old: World, new: World, cause: Cause) -> Iterator[Substitution]:
    """Figures of nodes that both may buy, or own: matched by their kind, and their place."""
    sections: tuple[tuple[str, type[Purchase] | type[OwnedHardware]], ...] = (
        ("buy", Purchase), ("owned", OwnedHardware),
    )  # fmt: skip
    for section, kind in sections:
        before = _by_kind(getattr(old.document.hardware, section))
        after = _by_kind(getattr(new.document.hardware, section))
        for key in (key for key in before if key in after):
            for name in kind.model_fields:
                if name in CHOICES or (name in PRICED) != (cause is Cause.PRICE):
                    continue
                one, other = getattr(before[key], name), getattr(after[key], name)
                if one != other:
                    into = _setter(section, key, name, other)
                    title = f"hardware.{section}.{key[0]}.{name}"
                    yield Substitution(cause, title, said(one), said(other), into)


Key = tuple[str, int]


def _by_kind(items: list[Any]) -> dict[Key, Any]:
    """(kind of node, how many of this kind came before) → entry"""
    found: dict[Key, Any] = {}
    for item in items:
        kind = str(node_kind(item.node))
        found[kind, sum(1 for name, _ in found if name == kind)] = item
    return found


def _setter(section: str, key: Key, name: str, value: object) -> Callable[[World], World]:
    def into(found: World) -> World:
        hardware = found.document.hardware
        items = list(getattr(hardware, section))
        at = list(_by_kind(items)).index(key)
        items[at] = items[at].model_copy(update={name: value})
        changed = hardware.model_copy(update={section: items})
        return found.with_document(found.document.model_copy(update={"hardware": changed}))

    return into


def said(value: object) -> str:
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {said(part)}" for key, part in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def rest_of(found: World) -> dict[str, Any]:
    """What is left of a schedule when all that is substituted is taken out: the work, the means
    and the rules."""
    body = found.document.model_dump(mode="json", exclude={"money", "name", "rentopt"})
    for prices in ("transfer", "table", "quotes"):
        body["market"].pop(prices)
    for section in ("buy", "owned"):
        body["hardware"][section] = [
            {name: item[name] for name in CHOICES if name in item and name != "source"}
            for item in body["hardware"][section]
        ]
    return body
