"""Offers: what a seller asks for one instance type on one set of terms. Nothing past an
`OfferBook` asks which provider's format it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from providers.fx import FxTable
from providers.hardware import NodeKind
from providers.money import Money
from providers.terms import HOURS_IN_BILLED_MONTH, Increment, PurchaseModel, Tenor, Tier

_HOURS = {
    Increment.SECOND: Decimal(1),  # billed by the second, quoted by the hour
    Increment.HOUR: Decimal(1),
    Increment.DAY: Decimal(24),
    Increment.WEEK: Decimal(168),
    Increment.MONTH: Decimal(HOURS_IN_BILLED_MONTH),
    Increment.YEAR: Decimal(8760),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One instance type, in one region, on one set of terms, at one price."""

    provider: str
    sku: str
    """Unique in its price table: what a plan, a refresh and a person refer to."""
    instance_type: str
    region: str
    tier: Tier
    gpu: str
    """Id of an `Accelerator`; A100 SXM, A100 PCIe, A800 and 4090D are different products."""
    gpu_count: int
    interconnect: str
    """As the source says: nvlink, nvlink_pair, pcie, none or unknown."""
    vcpu: Decimal | None
    ram_gb: Decimal | None
    purchase_model: PurchaseModel
    increment: Increment
    """What a bill is rounded up to. SECOND is quoted per hour."""
    tenor: Tenor
    """Empty: may be given back after any increment."""
    price: Money
    """Per instance (not per GPU) and increment, as quoted."""
    upfront: Money
    """Per instance, paid once when the term starts."""
    tax_included: bool | None
    """None: the source does not say."""
    min_units: int
    max_units: int | None
    """Instances that can be had at once; None: not stated."""
    max_gpus_per_host: int
    """An order may put up to so many GPUs on one host at this price per GPU; else gpu_count."""
    observed_at: date
    valid_until: date | None
    confidence: str
    """A: dump of a price API or list. B: dated transcription. C: article, approximate."""
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        prices = (self.price.amount, self.upfront.amount)
        if min(prices) < 0 or max(prices) == 0:
            raise ValueError(f"{self.price} and {self.upfront} upfront is not a price")
        if self.price.currency != self.upfront.currency:
            raise ValueError(f"price in {self.price.currency}, upfront in {self.upfront.currency}")
        if self.gpu_count < 1 or self.max_gpus_per_host < self.gpu_count or self.min_units < 1:
            raise ValueError("counts of GPUs and instances start at 1")
        if self.max_units is not None and self.max_units < self.min_units:
            raise ValueError(f"at most {self.max_units} but at least {self.min_units} instances")
        if self.confidence not in ("A", "B", "C"):
            raise ValueError(f"confidence is A, B or C, got '{self.confidence}'")

    @property
    def node_kind(self) -> NodeKind:
        return NodeKind(self.gpu, self.gpu_count)

    @property
    def prepaid(self) -> bool:
        """Whether the whole term is one increment, paid when it starts."""
        return (
            bool(self.tenor)
            and self.increment not in (Increment.SECOND, Increment.HOUR)
            and (_HOURS[self.increment] >= Decimal(self.tenor.about_days) * 24 * Decimal("0.95"))
        )

    @property
    def per_gpu_hour(self) -> Money:
        """Price of a GPU-hour at full use of the term, for comparing only (a month is 730 h)."""
        hourly = self.price / _HOURS[self.increment]
        if self.tenor:
            hourly = hourly + self.upfront / (Decimal(self.tenor.about_days) * 24)
        return hourly / self.gpu_count

    @property
    def quoted(self) -> str:
        """The price as its source puts it."""
        unit = "hour" if self.increment is Increment.SECOND else str(self.increment)
        text = f"{self.price.amount.normalize():f} {self.price.currency}/{unit}"
        if self.upfront.amount:
            text += f" + {self.upfront.amount.normalize():f} upfront"
        if self.tenor and not self.prepaid:
            text += f", {self.tenor} term"
        return text

    def age_days(self, today: date) -> int:
        return (today - self.observed_at).days


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no offer, and why. Nothing is dropped in silence."""

    row: str
    """What the row calls itself: provider, instance type, line."""
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class TokenOffer:
    """A model served by a provider and paid per token."""

    provider: str
    model: str
    """Id of a model card where one is known, else the provider's own name."""
    provider_model: str
    input_per_million: Money
    output_per_million: Money
    context_tokens: int | None
    observed_at: date
    confidence: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class HardwareOffer:
    """A purchase price of a node, card or machine, as a range where the source gives one."""

    item: str
    kind: NodeKind
    condition: str
    """new, used or mixed."""
    low: Money
    high: Money
    complete: bool
    """A machine that runs as it is; False: cards only, a host must be added."""
    tax_included: bool | None
    observed_at: date
    confidence: str
    source: str
    note: str = ""

    @property
    def middle(self) -> Money:
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class PriceSource:
    """What prices came from, exactly enough to find them again."""

    name: str
    """A bundled table, a file, or a source that the refresh asks."""
    sha256: str = ""
    """Of the file; empty for a refreshed source."""
    run_id: int | None = None
    """The refresh in the price store that published it."""
    observed_at: datetime | None = None
    """When the source was asked."""
    snapshots: tuple[str, ...] = ()
    """SHA-256 of its raw answers, kept in the price store."""


@dataclass(frozen=True, slots=True)
class OfferBook:
    """All prices a plan may use, as of one day, with the rows that could not be used."""

    as_of: date
    fx: FxTable
    offers: tuple[Offer, ...] = ()
    token_offers: tuple[TokenOffer, ...] = ()
    hardware_offers: tuple[HardwareOffer, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    tables: tuple[str, ...] = ()
    """Names of the price tables it was made of."""
    sources: tuple[PriceSource, ...] = ()
    """The same tables, with what finds them again."""
    known_at: datetime | None = None
    """What the price store knew at this moment was used; None: no store was."""

    def in_currency(self, money: Money, currency: str) -> Money:
        return self.fx.convert(money, currency, self.as_of)

    def per_gpu_hour(self, offer: Offer, currency: str) -> Decimal:
        return self.in_currency(offer.per_gpu_hour, currency).amount


@dataclass(slots=True)
class Selection:
    """Offers that passed every filter, and how many each filter took out."""

    kept: list[Offer] = field(default_factory=list)
    excluded: Counter[str] = field(default_factory=Counter)


Filter = tuple[str, Callable[[Offer], bool]]
"""A reason to print, and the test an offer must pass."""


def select(offers: Iterable[Offer], filters: Iterable[Filter]) -> Selection:
    """Apply filters in order; an offer is counted under the first one it fails."""
    chosen, tests = Selection(), list(filters)
    for offer in offers:
        failed = next((reason for reason, test in tests if not test(offer)), None)
        if failed is None:
            chosen.kept.append(offer)
        else:
            chosen.excluded[failed] += 1
    return chosen
