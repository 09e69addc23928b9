"""Google Cloud: machines with GPUs, on demand, spot, and committed for 1 or 3 years.

The Cloud Billing catalogue lists no machines. It lists GPUs, cores, memory and local SSD by the
region, and a machine is their sum; where one of its parts has no price there, so has the machine.
Parts come on different pages of some 40,000 SKUs, so a snapshot holds those of all pages that
concern GPU machines, each byte for byte.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import Dialect, FetchError, Verdict
from providers.live import NO_TENOR, Fields, LiveAdapter, Machine, Pages, RowError
from providers.offers import Offer, Rejected
from providers.terms import HOURS_IN_BILLED_MONTH, Increment, PurchaseModel, Tenor, Tier

VARIABLES = ("GOOGLE_API_KEY", "GCP_API_KEY")
MOST_USD = 1_000_000
"""For an hour of anything; more is a mistake, and sums of it are beyond exact arithmetic."""
_NANO = Decimal("1e-9")
_SSD = "local SSD"


@dataclass(frozen=True, slots=True)
class Shape:
    """A machine type: what it is the sum of."""

    name: str
    gpus: int
    vcpu: int
    ram_gib: int
    ssd_gib: int = 0
    only_spot: bool = False
    """Prices on other terms are listed, but it is sold so only on reservation or flexible start."""

    def parts(self, host: str) -> dict[str, int]:
        """What is priced apart, by its quantity; `host` is empty where a GPU's price has it all."""
        if not host:
            return {}
        ssd = {_SSD: self.ssd_gib} if self.ssd_gib else {}
        return {f"{host} core": self.vcpu, f"{host} ram": self.ram_gib, **ssd}


def _shapes(rows: str, *, only_spot: bool = False) -> tuple[Shape, ...]:
    """`rows`: name, GPUs, vCPUs, GiB of memory and of local SSD; several apart by commas."""
    found = []
    for row in rows.split(","):
        name, gpus, vcpu, ram, ssd = [*row.split(), "0"][:5]
        found.append(Shape(name, int(gpus), int(vcpu), int(ram), int(ssd), only_spot))
    return tuple(found)


# cloud.google.com/compute/docs/accelerator-optimized-machines. By the GPU as its SKU names it:
# the card, the family whose cores and memory go with it, and the machines it is sold in.
GPUS: dict[str, tuple[str, str, tuple[Shape, ...]]] = {
    "Tesla A100": ("A100-SXM4-40GB", "A2", _shapes(
        "a2-highgpu-1g 1 12 85, a2-highgpu-2g 2 24 170, a2-highgpu-4g 4 48 340,"
        "a2-highgpu-8g 8 96 680, a2-megagpu-16g 16 96 1360")),
    "Tesla A100 80GB": ("A100-SXM4-80GB", "A2", _shapes(
        "a2-ultragpu-1g 1 12 170 375, a2-ultragpu-2g 2 24 340 750,"
        "a2-ultragpu-4g 4 48 680 1500, a2-ultragpu-8g 8 96 1360 3000")),
    "H100 80GB": ("H100-SXM5-80GB", "A3", _shapes("a3-highgpu-8g 8 208 1872 6000") + _shapes(
        "a3-highgpu-1g 1 26 234 750, a3-highgpu-2g 2 52 468 1500, a3-highgpu-4g 4 104 936 3000",
        only_spot=True)),
    "H100 80GB Plus": ("H100-SXM5-80GB", "A3Plus", _shapes("a3-megagpu-8g 8 208 1872 6000")),
    "H100 80GB Mega": ("H100-SXM5-80GB", "A3Plus", _shapes("a3-megagpu-8g 8 208 1872 6000")),
    "L4": ("L4", "G2", _shapes(
        "g2-standard-4 1 4 16, g2-standard-8 1 8 32, g2-standard-12 1 12 48,"
        "g2-standard-16 1 16 64, g2-standard-24 2 24 96, g2-standard-32 1 32 128,"
        "g2-standard-48 4 48 192, g2-standard-96 8 96 384")),
    "RTX 6000 96GB": ("RTXPRO6000-BSE", "G4", _shapes(
        "g4-standard-48 1 48 180, g4-standard-96 2 96 360, g4-standard-192 4 192 720,"
        "g4-standard-384 8 384 1440")),
    "B200 (1 gpu slice)": (
        "B200-180GB", "", _shapes("a4-highgpu-8g 8 224 3968 12000", only_spot=True)),
}  # fmt: skip

_CONCERNS = re.compile(
    r"(?i)\b(nvidia|gpu|RTX 6000|A2|A3\w*|A4\w*|G2|G4|local SSD|local storage)\b"
)
_OTHER_TERMS = re.compile(
    r"(?i)\b(Sole Tenancy|Reserved|Premium|Custom|suspended|DWS \w+ (Duration|Mode)|DWS)\b"
)
_BEFORE = re.compile(r"(?i)^(commitment v1:|spot preemptible|preemptible|spot) ")
_BEHIND = re.compile(r"(?i) (attached to|running in|in|for \d years?)( .*)?$")
_GPU = re.compile(r"(?i)^(?:(?:A\d\w* )?Nvidia )?(.+?)(?: GPU)?( \(1 gpu slice\))?$")
_HOST = re.compile(r"^(A2|A3|A3Plus|G2|G4) (?:Instance )?(Core|Cpu|CPU|Ram|RAM)$")
_DISK = re.compile(r"(?i)^(SSD backed Local Storage|Local SSD)$")
_FOR_N1 = re.compile(r"Tesla (T4|V100|P100|P4|K80)\b")
_UNITS = {"ram": ("GiBy.h", 1), "SSD": ("GiBy.mo", HOURS_IN_BILLED_MONTH)}
"""By the last word of a part: the unit it is priced in and its hours; otherwise an hour."""

Terms = tuple[PurchaseModel, Tenor]


@dataclass(frozen=True, slots=True)
class Part:
    """One SKU: the price of a thing in some regions on some terms, per unit and hour."""

    what: str
    terms: Terms
    regions: tuple[str, ...]
    price: Decimal


Prices = Mapping[tuple[str, Terms, str], set[Decimal]]
"""What, on which terms, in which region → its prices, of which there should be one."""


class Gcp(LiveAdapter):
    name = "gcp"
    home = "https://cloudbilling.googleapis.com"
    variables = ("GOOGLE_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key(*VARIABLES)
        variables = [name for name in VARIABLES if self.maybe_key(name)][:1]
        pages, token, first = Pages(), "", None
        kept: list[str] = []
        while first is None or token:
            query: dict[str, str | int] = {"currencyCode": "USD", "pageSize": 5000}
            answer = self.settings.http.get(
                f"{self.base}/v1/services/6F81-5844-456A/skus",
                params=query | ({"pageToken": token} if token else {}),
                headers={"X-Goog-Api-Key": key},
                secrets=[key],
                variables=variables,
                dialect=Dialect(judge=_judge),
            )
            page = pages.new(answer)
            self.listed(page, "skus")
            kept += [text for text, sku in _items(page.body, "skus") if _concerns(sku)]
            token = self.document(page).get("nextPageToken") or ""
            if not isinstance(token, str):
                raise FetchError(f"{page.address}: the token of the next page is no text")
            first = first or page
        if not kept:
            raise FetchError(f"{first.address}: no part of a GPU machine in it")
        body = '{"skus": [' + ",\n".join(kept) + "]}"
        yield Snapshot(first.address, first.observed_at, body.encode("utf-8", "surrogatepass"))

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        """GPUs with the prices of everything beside them, and every SKU that is of no use."""
        prices: Prices = defaultdict(set)
        gpus: list[tuple[str, Part]] = []
        others: list[tuple[str, Part, object]] = []
        useless: list[tuple[str, object]] = []
        for sku in self.listed(snapshot, "skus"):
            label = _label(sku)
            try:
                part = _part(Fields(sku))
            except RowError:
                useless.append((label, {"sku": sku}))
                continue
            for region in part.regions:
                prices[part.what, part.terms, region].add(part.price)
            if part.what in GPUS:
                gpus.append((label, part))
            else:
                others.append((label, part, sku))
        needed = {
            (what, part.terms, region)
            for _, part in gpus
            for shape in GPUS[part.what][2]
            for what in shape.parts(GPUS[part.what][1])
            for region in part.regions
        }
        for label, part, sku in others:
            if needed.isdisjoint((part.what, part.terms, region) for region in part.regions):
                useless.append((label, {"sku": sku}))
        return [(label, {"part": part, "prices": prices}) for label, part in gpus] + useless

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        part, prices = row.get("part"), row.get("prices")
        if part is None:
            part = _part(row.inner("sku"))
            raise RowError(f"no GPU that goes with {part.what} has a price there on these terms")
        gpu, host, shapes = GPUS[part.what]
        model, tenor = part.terms
        for region in part.regions:
            for shape in shapes:
                machine = Machine(
                    provider=self.name,
                    instance_type=shape.name,
                    region=region,
                    gpu=gpu,
                    gpu_name=part.what,
                    gpu_count=shape.gpus,
                    snapshot=snapshot,
                    tier=Tier.HYPERSCALER,
                    vcpu=Decimal(shape.vcpu),
                    ram_gb=Decimal(shape.ram_gib),
                    increment=Increment.HOUR if tenor else Increment.SECOND,
                    note="with its local SSD" if shape.ssd_gib else "",
                )
                try:
                    if shape.only_spot and model is not PurchaseModel.SPOT:
                        raise RowError("listed, but sold only spot")
                    total = shape.gpus * _one(prices, part.what, part.terms, region)
                    for what, quantity in shape.parts(host).items():
                        total += quantity * _one(prices, what, part.terms, region)
                except RowError as fault:
                    yield Rejected(machine.sku(model, tenor), str(fault), snapshot.address)
                else:
                    yield machine.offer(model, _plain(round(total, 9)), tenor=tenor)


def _one(prices: Prices, what: str, terms: Terms, region: str) -> Decimal:
    """The price of a part, never guessed: a sum with a part missing is no price."""
    found = prices.get((what, terms, region), set())
    if len(found) != 1:
        amounts = " and ".join(f"{_plain(price)}" for price in sorted(found))
        raise RowError(f"{what} has {f'two prices, {amounts},' if found else 'no price'} there")
    return next(iter(found))


def _part(row: Fields) -> Part:
    """What a SKU is the price of.

    Raises:
        RowError: of nothing in a machine of `GPUS`, or it has no price.
    """
    said = row.text("description")
    other = _OTHER_TERMS.search(said)
    if other:
        raise RowError(f"{other[1]}: sold on other terms")
    bare = _BEHIND.sub("", _BEFORE.sub("", said)).strip()
    host = _HOST.match(bare)
    if host:
        what = f"{host[1]} {'ram' if host[2].lower() == 'ram' else 'core'}"
    elif _DISK.match(bare):
        what = _SSD
    else:
        named = _GPU.match(bare)
        what = f"{named[1]}{named[2] or ''}" if named else bare
        if what not in GPUS:
            raise RowError(_unknown(row, what))
    regions = tuple(dict.fromkeys(row.names("serviceRegions")))
    if not regions:
        raise RowError("no region")
    terms = _terms(said, row.inner("category").text("usageType"))
    return Part(what, terms, regions, _price(row, what))


def _unknown(row: Fields, what: str) -> str:
    if row.inner("category").text("resourceGroup") != "GPU":
        return f"'{what}' is no part of a GPU machine"
    price = _price(row, what)
    if _FOR_N1.search(what):
        return f"'{what}' is attached to a machine of one's choice ({price} USD per hour)"
    if gpu_id(what) is None:
        return f"GPU '{what}' is not in the hardware table ({price} USD per hour)"
    return f"no machine type with '{what}' is known ({price} USD per hour)"


def _terms(said: str, usage: str) -> Terms:
    """The description is trusted: B200 spot SKUs are filed under OnDemand."""
    years = re.search(r"for (\d) Year", said)
    if said.startswith("Commitment") or usage.startswith("Commit"):
        if years is None or usage != f"Commit{years[1]}Yr":
            raise RowError(f"a commitment filed under {usage}")
        return PurchaseModel.COMMITTED_USE, Tenor(12 * int(years[1]))
    if re.search(r"\b(Spot|Preemptible)\b", said) or usage == "Preemptible":
        return PurchaseModel.SPOT, NO_TENOR
    if usage != "OnDemand":
        raise RowError(f"filed under {usage}")
    return PurchaseModel.ON_DEMAND, NO_TENOR


def _price(row: Fields, what: str) -> Decimal:
    """Per unit and hour: the newest rate, from the first unit on; `units` plus billionths."""
    rates = [Fields(info, "pricingInfo") for info in row.rows("pricingInfo")][-1:]
    expression = rates[0].inner("pricingExpression") if rates else None
    tiers = [Fields(tier, "rate") for tier in expression.rows("tieredRates")] if expression else []
    tiers = [tier for tier in tiers if not tier.maybe("startUsageAmount")]
    if expression is None or not tiers:
        raise RowError("no rate from the first unit on")
    unit, hours = _UNITS.get(what.rpartition(" ")[2], ("h", 1))
    if expression.text("usageUnit") != unit:
        raise RowError(f"priced per '{expression.text('usageUnit')}', not per '{unit}'")
    money = tiers[-1].inner("unitPrice")
    if money.text("currencyCode") != "USD":
        raise RowError(f"priced in '{money.text('currencyCode')}', though asked in USD")
    price = _plain((money.maybe("units") or 0) + (money.maybe("nanos") or 0) * _NANO)
    if not 0 < price < MOST_USD:
        raise RowError(f"{price} USD is not a price")
    return price / hours


def _plain(amount: Decimal) -> Decimal:
    """Without the zeros that billionths leave at its end."""
    whole = amount.to_integral()
    return whole if amount == whole else amount.normalize()


def _label(sku: object) -> str:
    if not isinstance(sku, dict):
        return "?"
    return " ".join(str(sku[name]) for name in ("skuId", "description") if sku.get(name)) or "?"


def _concerns(sku: object) -> bool:
    """Whether a SKU may belong to a machine with GPUs. What cannot be read is kept, and told."""
    if not isinstance(sku, dict) or not isinstance(sku.get("category"), dict):
        return True
    if sku["category"].get("resourceFamily") not in ("Compute", "Storage"):
        return False  # licences are counted per GPU too
    return bool(_CONCERNS.search(str(sku.get("description"))))


def _items(body: bytes, name: str) -> Iterator[tuple[str, object]]:
    """The elements of the list `name` of a JSON object, as they are written and as they read."""
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    read, between = json.JSONDecoder().raw_decode, re.compile(r"[\s,:]*")

    def skip(at: int) -> int:
        found = between.match(text, at)
        return found.end() if found else at

    at = skip(0) + 1
    while text[at := skip(at)] != "}":
        key, at = read(text, at)
        at = skip(at)
        if key == name and text[at] == "[":
            at += 1
            while text[at := skip(at)] != "]":
                start = at
                item, at = read(text, at)
                yield text[start:at], item
            at += 1
        else:
            _, at = read(text, at)


def _judge(status: int, content: bytes) -> Verdict:
    """A key that does not exist is answered with 400."""
    refused = status == HTTPStatus.BAD_REQUEST and b"API key not valid" in content
    return Verdict.REFUSED if refused else Verdict.AS_ITS_STATUS
