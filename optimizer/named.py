"""What a name on the command line stands for: a seller, a deal, an offer, a GPU, a node."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from optimizer.options.market import Listing
from providers.errors import RentoptError
from providers.hardware import NodeKind, accelerators, in_family
from providers.offers import OfferBook, TokenOffer
from providers.terms import Increment, PurchaseModel, Tier

NEAREST = 3
COMMITTED_DAYS = 28
"""A term this long, a month or more, is a commitment; shorter ones are rented as needed."""
_NODE = re.compile(r"\s*(\d+)\s*[x×*]\s*(.+?)\s*", re.IGNORECASE)


class UnknownNameError(RentoptError):
    """A name that is no seller, deal, tier, offer, GPU or node; says the nearest ones."""


@dataclass(frozen=True, slots=True)
class Named:
    """A set of offers, APIs and hardware that a person calls by one name."""

    name: str
    """As it was written."""
    sort: str
    """provider, purchase model, tier, offer, token API, hardware, commitments or tokens."""
    gpus: frozenset[str] = frozenset()
    """Ids, for hardware."""
    count: int | None = None
    """GPUs of a node, where one size is meant."""

    def is_kind(self, kind: NodeKind) -> bool:
        return kind.gpu in self.gpus and self.count in (None, kind.count)

    def has(self, listing: Listing) -> bool:
        offer, wanted = listing.offer, self.name.lower()
        if self.sort == "hardware":
            return self.is_kind(listing.kind)
        if self.sort == "commitments":
            whole = offer.increment in (Increment.MONTH, Increment.YEAR)
            return whole or offer.tenor.about_days >= COMMITTED_DAYS
        values = {
            "provider": offer.provider,
            "purchase model": str(offer.purchase_model),
            "tier": str(offer.tier),
            "offer": offer.sku,
        }
        return values.get(self.sort, "").lower() == wanted

    def sells(self, offer: TokenOffer) -> bool:
        if self.sort == "tokens":
            return True
        if self.sort == "token API":
            return f"{offer.provider}/{offer.provider_model}".lower() == self.name.lower()
        return self.sort == "provider" and offer.provider.lower() == self.name.lower()


COMMITMENTS = Named("commitments", "commitments")
"""Rentals by the month or longer."""
TOKENS = Named("tokens", "tokens")
"""All token APIs."""


def find(name: str, book: OfferBook) -> Named:
    """What a name stands for.

    Raises:
        UnknownNameError: nothing is called so.
    """
    known = _known(book)
    if name.lower() in known:
        return Named(name, known[name.lower()])
    sized = _NODE.fullmatch(name)
    family = sized[2] if sized else name
    gpus = frozenset(gpu for gpu in accelerators() if in_family(gpu, family))
    if gpus:
        return Named(name, "hardware", gpus, int(sized[1]) if sized else None)
    raise UnknownNameError(_unknown(name, family if sized else "", known))


def _known(book: OfferBook) -> dict[str, str]:
    """Name in lower case → what it names; the broader meaning wins."""
    known = {f"{o.provider}/{o.provider_model}".lower(): "token API" for o in book.token_offers}
    known |= {offer.sku.lower(): "offer" for offer in book.offers}
    known |= {named.name: named.sort for named in (COMMITMENTS, TOKENS)}
    known |= {str(tier): "tier" for tier in Tier}
    known |= {str(model): "purchase model" for model in PurchaseModel}
    known |= {offer.provider.lower(): "provider" for offer in book.offers}
    return known | {offer.provider.lower(): "provider" for offer in book.token_offers}


def _unknown(name: str, gpu: str, known: dict[str, str]) -> str:
    hardware = {card.id.lower(): card.id for card in accelerators().values()}
    hardware |= {card.family.lower(): card.family for card in accelerators().values()}
    words = {key: key for key in known} | hardware
    asked = gpu or name
    near = difflib.get_close_matches(
        asked.lower(), hardware if gpu else words, n=NEAREST, cutoff=0.5
    )
    hint = f"; did you mean {', '.join(words[item] for item in near)}?" if near else ""
    return (
        f"'{name}' is no provider, purchase model, tier, offer, GPU or node such as 8xA800 "
        f"that the prices or the hardware table know{hint}"
    )
