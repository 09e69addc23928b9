"""gpuhunt on the same answers: what it offers we offer, or we say why not; and what only we have.

gpuhunt is read over the same loopback server, by `gpuhunt_peers`. Two of its SDKs are too heavy for
here (Google's), or speak another version of a service than the recordings (Nebius).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from gpuhunt.providers.vastai import get_location
from gpuhunt_peers import MENDED, PEERS, route
from loopback import serving
from test_contract import adapter_at, fetched

from providers.gpu_names import total_or_each
from providers.hardware import accelerators
from providers.http import Limits
from providers.live import exact
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

RENTED = (PurchaseModel.ON_DEMAND, PurchaseModel.SPOT)
DISK_SLACK = 0.006
"""USD: at Vast gpuhunt estimates what 50 GB of disk cost, and we take the answer's own total."""


@dataclass(frozen=True)
class Theirs:
    instance: str
    place: str
    gpus: int
    gpu: str
    """Name and memory, as gpuhunt says."""
    family: str | None
    """Of our hardware table."""
    spot: bool
    price: float

    def __str__(self):
        kind = "spot" if self.spot else "on-demand"
        return f"{self.instance} {self.place} {self.gpus}x {self.gpu} {kind} {self.price:.6g}"


def _family(name, memory, gpus):
    """Memory is of all GPUs in some of gpuhunt's tables."""
    name = {"RTXPRO6000S": "RTX PRO 6000 S"}.get(name, name)
    found = total_or_each(name, exact(str(memory), "memory"), gpus) if memory else None
    return accelerators()[found].family if found else None


@cache
def theirs(name):
    with pytest.MonkeyPatch.context() as patch, serving(route(name)) as server:
        items = PEERS[name](patch, server.base)
    return [
        Theirs(
            item.instance_name,
            item.location,
            item.gpu_count,
            f"{item.gpu_name} {item.gpu_memory:g} GB" if item.gpu_memory else item.gpu_name,
            _family(item.gpu_name, item.gpu_memory, item.gpu_count),
            item.spot,
            item.price,
        )
        for item in items
        if item.gpu_count
    ]


@cache
def fates(name):
    adapter, snapshots = fetched(name)
    found = [fate for snapshot in snapshots for fate in adapter.parse(snapshot)]
    if name == "aws":  # gpuhunt reads the bulk files, as we do without a credential
        with serving(route(name)) as server:
            anonymous, _ = adapter_at(name, server.base, environment={}, limits=Limits())
            found += [fate for page in anonymous.fetch() for fate in anonymous.parse(page)]
    return found


def ours(name):
    return [fate for fate in fates(name) if isinstance(fate, Offer)]


def _their_name(name, offer):
    """What gpuhunt calls our instance."""
    ours = offer.instance_type
    if name == "runpod":
        return re.sub(r" (secure|community)$", "", ours)
    if name == "jarvislabs":
        return re.sub(r"^(\w+)-80GB-vm$", r"\1", ours)
    if name == "hotaisle":
        return re.sub(r"^(vm|bm)-(\d+)x(\w+)-\d+c$", r"\1-\3-\2", ours).lower()
    return ours


def _same_machine(name, item, offer):
    """The machine at its price, wherever; a price per GPU where orders of more are one host."""
    share = item.gpus // offer.gpu_count
    price = float(offer.price.amount) * share
    return (
        _their_name(name, offer) == re.sub(r"-\d+x$", "", item.instance)
        and (offer.purchase_model is PurchaseModel.SPOT) == item.spot
        and offer.purchase_model in RENTED
        and item.gpus % offer.gpu_count == 0
        and item.gpus <= offer.max_gpus_per_host
        and accelerators()[offer.gpu].family == item.family
        and abs(price - item.price) <= (DISK_SLACK if name == "vast" else 1e-5)
    )


def _same_place(name, item, offer):
    if offer.region == "any":
        return True
    if name == "vast":
        return get_location(offer.region) == item.place
    return offer.region == item.place


CROSSED = {"lambda": 17, "verda": 1}
"""Offers of machines that we list in other places only: gpuhunt lists each machine in every region
there is, and the answers say where there are any."""


@dataclass(frozen=True)
class Difference:
    """Offers of gpuhunt that we have not."""

    instance: str
    why: str
    """The reason with which we reject the row; of another kind with `offered`."""
    spot: bool = False
    price: float | None = None
    items: int = 1
    offered: bool = False
    """We offer it otherwise, as `why` says."""

    def covers(self, item):
        same = (self.instance, self.spot) == (item.instance, item.spot)
        return same and self.price in (None, round(item.price, 5))


UNKNOWN = "is not in the hardware table"
DIFFERENT = {
    "aws": [
        Difference("g6.fraction", "g6.fraction has 0.125 of a GPU", spot=True),
        Difference("g5.xlarge", "for 'Windows', not Linux/UNIX", spot=True),
        Difference("p4d.24xlarge", "an older price, of 2026-11-08 21:40", spot=True),
        Difference("p5.48xlarge", "an older price, of 2026-11-08 01:00", spot=True),
        Difference("p6-b400.48xlarge", f"GPU 'B400 (384 GB)' {UNKNOWN} (31.5 USD per hour)", True),
        Difference("p6-b400.48xlarge", f"GPU 'B400 (384 GB)' {UNKNOWN} (160 USD per hour)"),
        Difference("p5e.48xlarge", "0 USD is not a price"),
    ],
    "azure": [
        Difference("Standard_NV6ads_A10_v5", "0.167 of one A10 (0.454 USD)"),
        Difference("Standard_NC4as_T4_v3", "priced in 'BRL'; known: CNY, EUR, USD"),
        Difference("Standard_NC8as_T4_v3", "priced per 1/Month"),
        Difference("Standard_NC16as_T4_v3", "the price from 1000.0 hours on"),
        Difference("Standard_NV12s_v3", f"GPU 'M60' {UNKNOWN} (1.14 USD per hour)"),
        Difference("Standard_NC24ads_A100_v4", "a price from 2026-12-01 on", price=3.9),
        Difference("Standard_NC24ads_A100_v4", "listed a second time", price=4.1),
    ],
    "cloudrift": [Difference("rtx49-7c-kn.1", "none can be had")],
    "hotaisle": [
        Difference("vm-mi300x-1", "0 USD is not a price", price=0),
        Difference("vm-mi355x-1", f"GPU 'AMD MI355X' {UNKNOWN} (2.99 USD per hour)"),
    ],
    "lambda": [
        Difference("gpu_1x_free", "0 USD is not a price", items=4),
        Difference("cpu_4x_general", "no GPU", items=4),
        Difference(
            "gpu_1x_r900", f"GPU 'R900 (999 GB SXM9)' {UNKNOWN} (9.99 USD per hour)", items=4
        ),
    ],
    "runpod": [
        Difference("NVIDIA H100 NVL", "has a price but communityCloud is false", items=8),
    ],
    "seeweb": [
        Difference("ECS1GPU1", f"GPU 'A30' {UNKNOWN} (0.64 EUR per hour)"),
        Difference("ECS1GPU3", "0 EUR is not a price"),
    ],
    "vast": [
        Difference("9000007", f"GPU 'Q RTX 8000 (45.0 GB)' {UNKNOWN} (0.2146 USD per hour)", True),
        Difference("9000007", f"GPU 'Q RTX 8000 (45.0 GB)' {UNKNOWN} (0.4226 USD per hour)"),
    ],
    "vultr": [
        Difference("vcg-a100-1c-6g-4vram", "a slice: 4 of the 80 GB of one A100"),
        Difference("vcg-a100-12c-120g-80vram", "its price in sjc is 2.6", offered=True),
    ],
}
MORE = {
    "aws": (6, 19),
    "azure": (1, 4),
    "cloudrift": (0, 0),
    "crusoe": (6, 0),
    "digitalocean": (2, 0),
    "hotaisle": (0, 0),
    "jarvislabs": (6, 0),
    "lambda": (0, 0),
    "oci": (0, 0),
    "runpod": (6, 8),
    "seeweb": (0, 0),
    "vast": (2, 7),
    "verda": (5, 12),
    "vultr": (7, 0),
}
"""Offers we have and gpuhunt has not: on-demand and spot, and those with a term."""


def compared(name):
    """Their offers that we have not; how many we have elsewhere; and ours that they have not."""
    missing, elsewhere, used = [], 0, set()
    for item in theirs(name):
        same = [offer for offer in ours(name) if _same_machine(name, item, offer)]
        here = [offer for offer in same if _same_place(name, item, offer)]
        used |= {offer.sku for offer in here}
        if not here and same and name in CROSSED:
            elsewhere += 1
        elif not here:
            missing.append(item)
    more = {offer.sku for offer in ours(name)} - used
    return missing, elsewhere, more


@pytest.mark.parametrize("name", PEERS)
def test_every_offer_of_gpuhunt_is_ours_or_we_say_why_not(name):
    missing, elsewhere, _ = compared(name)
    table = DIFFERENT.get(name, [])
    unexplained = [str(item) for item in missing if not any(d.covers(item) for d in table)]
    assert unexplained == []
    assert [(d.instance, sum(map(d.covers, missing))) for d in table] == [
        (d.instance, d.items) for d in table
    ]
    assert elsewhere == CROSSED.get(name, 0)


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_we_have_not_is_rejected_with_the_reason_told_here(name):
    reasons = {fate.reason for fate in fates(name) if isinstance(fate, Rejected)}
    for difference in DIFFERENT[name]:
        assert difference.offered or difference.why in reasons, difference


def test_a_price_of_one_place_is_not_the_price_of_all():
    """gpuhunt takes Vultr's general price where a place has its own."""
    [here] = [
        o for o in ours("vultr") if o.region == "sjc" and o.gpu_count == 1 and "a100" in o.sku
    ]
    assert str(here.price.amount) == "2.6"
    assert [item.price for item in theirs("vultr") if item.place == "sjc"] == [2.397]


@pytest.mark.parametrize("name", PEERS)
def test_how_many_offers_only_we_have(name):
    _, _, more = compared(name)
    rented = {offer.sku for offer in ours(name) if offer.purchase_model in RENTED}
    assert (len(more & rented), len(more - rented)) == MORE[name]


@pytest.mark.parametrize("name", MENDED)
def test_one_odd_row_costs_gpuhunt_a_whole_answer_and_us_the_row(name, monkeypatch):
    found = []
    with serving(route(name, mended=False)) as server, suppress(KeyError, ValueError):
        found = PEERS[name](monkeypatch, server.base, mended=False)
    assert len([item for item in found if item.gpu_count]) < len(theirs(name))
    assert ours(name)


def test_a_price_list_in_euros_is_not_in_dollars():
    """gpuhunt has one currency; Seeweb's list is in euros."""
    assert {offer.price.currency for offer in ours("seeweb")} == {"EUR"}


@pytest.mark.parametrize("name", PEERS)
def test_the_manual_has_these_counts(name):
    missing, elsewhere, _ = compared(name)
    count = len(theirs(name))
    counts = (count, count - len(missing) - elsewhere, elsewhere, len(missing), *MORE[name])
    text = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {' | '.join(map(str, counts))} |" in text
