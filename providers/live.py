"""What the live price adapters share: settings, reading rows without losing any, making offers."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from urllib.parse import urlsplit

from providers.adapter import Snapshot
from providers.gpu_names import interconnect
from providers.http import (
    Answer,
    CredentialError,
    FetchError,
    Http,
    MissingCredentialError,
    read_json,
)
from providers.money import CURRENCIES, Money
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier

NO_TENOR = Tenor()
MOST_DIGITS = 18
"""Before the point. Bytes of memory need 14; more is a mistake, and beyond exact arithmetic."""
MOST_PAGES = 1000
"""No provider has so many; more is a token that never ends."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one source is reached."""

    base_url: str = ""
    """Empty: the provider's own."""
    regions: tuple[str, ...] = ()
    """Which regions to ask, where each is asked by itself. Empty: those known."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Credentials by the names of environment variables. Never printed, never kept."""
    http: Http = field(default_factory=Http, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    """What only this source knows, such as `accept_terms`; its module says which there are."""


class RowError(Exception):
    """What is wrong with one row; becomes the reason of a `Rejected`."""


class Fields:
    """One JSON object, read field by field; what is missing or odd is a `RowError`."""

    def __init__(self, row: object, path: str = "") -> None:
        if not isinstance(row, Mapping):
            raise RowError(f"{path or 'row'} is {_kind(row)}, not an object")
        self.row, self._path = row, path

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def get(self, name: str) -> Any:
        return self.row.get(name)

    def text(self, name: str) -> str:
        value = self.row.get(name)
        if not isinstance(value, str) or not value.strip():
            raise RowError(f"{self._at(name)} is {_kind(value)}, not a text")
        return value.strip()

    def number(self, name: str) -> Decimal:
        value = self.maybe(name)
        if value is None:
            raise RowError(f"no {self._at(name)}")
        return value

    def maybe(self, name: str) -> Decimal | None:
        """The number, also when it is written as a text; None where there is none."""
        value = self.row.get(name)
        return None if value is None or value == "" else exact(value, self._at(name))

    def count(self, name: str) -> int:
        value = self.number(name)
        if value != value.to_integral_value() or value < 0:
            raise RowError(f"{self._at(name)} is {value}, not a count")
        return int(value)

    def inner(self, name: str) -> Fields:
        return Fields(self.row.get(name), self._at(name))

    def rows(self, name: str) -> Sequence[Any]:
        value = self.row.get(name)
        if not isinstance(value, list):
            raise RowError(f"{self._at(name)} is {_kind(value)}, not a list")
        return value

    def names(self, name: str) -> list[str]:
        """A list of texts, without the nulls some providers put between them."""
        return [value for value in self.rows(name) if isinstance(value, str) and value]


def exact(value: object, what: str) -> Decimal:
    """The number as written: JSON numbers were parsed as Decimal, texts are parsed here.

    Raises:
        RowError: it is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise RowError(f"{what} is {_kind(value)}, not a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise RowError(f"{what} is '{value}', not a number") from None
    if not number.is_finite() or number.adjusted() > MOST_DIGITS:
        raise RowError(f"{what} is {str(value)[:20]}, not a number of anything")
    return number


def _kind(value: object) -> str:
    names = {type(None): "missing", dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value), f"{value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a provider says about one instance type in one region, before its prices."""

    provider: str
    instance_type: str
    region: str
    gpu: str | None
    """Id of an `Accelerator`; None where no known card fits `gpu_name`."""
    gpu_name: str
    """As the provider writes it, with what was told of memory."""
    gpu_count: int
    snapshot: Snapshot
    tier: Tier = Tier.SPECIALIST
    vcpu: Decimal | None = None
    ram_gb: Decimal | None = None
    interconnect: str = ""
    """As the provider says; empty: what the card tells."""
    currency: str = "USD"
    increment: Increment = Increment.HOUR
    min_units: int = 1
    max_units: int | None = None
    max_gpus_per_host: int = 0
    """0: gpu_count."""
    tax_included: bool | None = False
    note: str = ""

    def sku(self, model: PurchaseModel, tenor: Tenor) -> str:
        parts = [self.provider, self.instance_type, self.region, model.value]
        return "/".join(part.replace(" ", "-") for part in [*parts, *([str(tenor)] * bool(tenor))])

    def offer(
        self,
        model: PurchaseModel,
        price: Decimal | None,
        *,
        tenor: Tenor = NO_TENOR,
        increment: Increment | None = None,
        upfront: Decimal = Decimal(0),
        valid_until: date | None = None,
        note: str = "",
    ) -> Offer | Rejected:
        """The price of the whole machine per increment as an offer; or why it is none.

        Args:
            increment: the machine's own when left out.
            upfront: paid once when the term starts; with it, `price` may be 0.
        """
        sku, fault = self.sku(model, tenor), self._fault(price, upfront)
        if fault or price is None or self.gpu is None:
            return Rejected(sku, fault, self.snapshot.address)
        return Offer(
            provider=self.provider,
            sku=sku,
            instance_type=self.instance_type,
            region=self.region,
            tier=self.tier,
            gpu=self.gpu,
            gpu_count=self.gpu_count,
            interconnect=self.interconnect or interconnect(self.gpu, self.gpu_count),
            vcpu=self.vcpu,
            ram_gb=self.ram_gb,
            purchase_model=model,
            increment=increment or self.increment,
            tenor=tenor,
            price=Money(price, self.currency),
            upfront=Money(upfront, self.currency),
            tax_included=self.tax_included,
            min_units=self.min_units,
            max_units=self.max_units,
            max_gpus_per_host=max(self.max_gpus_per_host, self.gpu_count),
            observed_at=self.snapshot.observed_at.date(),
            valid_until=valid_until,
            confidence="A",
            source=self.snapshot.address,
            note="; ".join(part for part in (self.note, note) if part),
        )

    def _fault(self, price: Decimal | None, upfront: Decimal) -> str:
        if not (self.instance_type + self.region).isprintable():
            return "its name has characters that cannot be printed"
        if self.gpu_count < 1:
            return "no GPU"
        if price is None:
            return "no price"
        if price < 0 or upfront < 0 or not (price or upfront):
            return f"{price} {self.currency} is not a price"
        if self.currency not in CURRENCIES:
            return f"priced in '{self.currency}'; known: {', '.join(CURRENCIES)}"
        if self.max_units is not None and self.max_units < self.min_units:
            return (
                "none can be had" if self.max_units < 1 else "fewer are left than are sold at once"
            )
        if self.gpu is None:
            unit = Increment.HOUR if self.increment is Increment.SECOND else self.increment
            asked = f"{price} {self.currency} per {unit}"
            return f"GPU '{self.gpu_name}' is not in the hardware table ({asked})"
        return ""


class LiveAdapter(ABC):
    """A price API. Subclasses say how it is asked, and what each row of its answer means."""

    name: ClassVar[str]
    home: ClassVar[str]
    """The provider's own base URL."""
    variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables its credentials come from; what `rentopt prices doctor` looks for."""
    keyless: ClassVar[bool] = False
    """Whether it answers without them too."""
    pause_s: ClassVar[float] = 0.0
    """Least time between two requests that the source is known to bear."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.base = (settings.base_url or self.home).rstrip("/")

    @abstractmethod
    def fetch(self) -> Iterator[Snapshot]:
        """Every page, in order.

        Raises:
            FetchError: the source does not answer, answers an error, or its pages never end.
        """

    @abstractmethod
    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        """Every row of an answer with what it calls itself.

        Raises:
            FetchError: the answer is an error, or has another shape.
        """

    @abstractmethod
    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        """What one row offers. A `RowError` rejects the row."""

    def parse(self, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        taken: set[str] = set()
        for name, row in self.rows(snapshot):
            label = f"{self.name}/{name}"
            try:
                for fate in self.fates(name, Fields(row), snapshot):
                    if isinstance(fate, Rejected):
                        yield fate
                    elif fate.sku in taken:
                        yield Rejected(fate.sku, "listed a second time", snapshot.address)
                    else:
                        taken.add(fate.sku)
                        yield fate
            except RowError as fault:
                yield Rejected(label, str(fault), snapshot.address)

    def key(self, *names: str) -> str:
        """The first of these variables that is set.

        Raises:
            MissingCredentialError: none is.
        """
        found = self.maybe_key(*names)
        if not found:
            raise MissingCredentialError(f"{self.name}: {' or '.join(names)} is not set")
        return found

    def maybe_key(self, *names: str) -> str:
        for name in names:
            value = self.settings.environment.get(name, "").strip()
            if not (value.isascii() and value.isprintable()):
                raise CredentialError(f"{self.name}: {name} has characters that no key has")
            if value:
                return value
        return ""

    def document(self, snapshot: Snapshot, *path: str) -> Any:
        """The JSON below `path`; an error envelope or another shape is a `FetchError`."""
        found = whole = read_json(snapshot)
        for step in path:
            if not isinstance(found, Mapping) or step not in found:
                said = complaint(found) or complaint(whole) or f"no {step} in it"
                raise FetchError(f"{snapshot.address}: {said}")
            found = found[step]
        return found

    def refuse_errors(self, snapshot: Snapshot, variable: str) -> None:
        """For GraphQL, which answers errors with 200, a refused `variable` too.

        Raises:
            FetchError: there is a list of errors.
        """
        whole = read_json(snapshot)
        if isinstance(whole, Mapping) and whole.get("errors"):
            said = complaint(whole)
            if re.search(r"(?i)unauth|api key", said):
                raise CredentialError(f"{snapshot.address}: {said}; check {variable}")
            raise FetchError(f"{snapshot.address}: {said or 'it lists errors'}")

    def listed(self, snapshot: Snapshot, *path: str) -> list[Any]:
        """The list below `path`.

        Raises:
            FetchError: it is not there, or no list.
        """
        found = self.document(snapshot, *path)
        if not isinstance(found, list):
            problem = complaint(found) or f"{'.'.join(path) or 'the answer'} is no list"
            raise FetchError(f"{snapshot.address}: {problem}")
        return found


def complaint(document: object) -> str:
    """What an error envelope says; empty where the document is none."""
    if not isinstance(document, Mapping):
        return ""
    fields = {str(name).lower(): value for name, value in document.items()}
    for name in ("errors", "error", "message", "msg", "error_msg", "detail", "responsemetadata"):
        said = fields.get(name)
        while isinstance(said, list) and said:
            said = said[0]
        if isinstance(said, Mapping):
            nested = complaint(said)
            if nested:
                return nested
            said = said.get("code") or said.get("Code")
        if isinstance(said, str) and said:
            return f"it says '{said[:200]}'"
    return ""


class Pages:
    """Watches the pages of one listing: each must be new, and they must end."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def new(self, answer: Answer) -> Snapshot:
        """The answer's snapshot.

        Raises:
            FetchError: the same page came before, or there are too many.
        """
        snapshot = answer.snapshot
        digest = hashlib.sha256(snapshot.body).hexdigest()
        if digest in self._seen:
            raise FetchError(f"{snapshot.address}: the same page a second time")
        if len(self._seen) == MOST_PAGES:
            raise FetchError(f"{snapshot.address}: more than {MOST_PAGES} pages")
        self._seen.add(digest)
        return snapshot


def bundle(parts: Mapping[str, Snapshot]) -> Snapshot:
    """Several answers that mean something only together, each byte for byte, as one snapshot.

    The first names the address and the moment.
    """
    first = next(iter(parts.values()))
    inside = (b'"%s": %s' % (name.encode(), part.body) for name, part in parts.items())
    return Snapshot(first.address, first.observed_at, b"{" + b",\n".join(inside) + b"}")


def places(names: Iterable[str], none: str = "any") -> list[str]:
    """Regions in the order given, each once; `none` where there is none."""
    return list(dict.fromkeys(names)) or [none]


def same_host(url: str, base: str) -> bool:
    """Whether a link stays at the host the credential was meant for; `:443` may be written out."""
    return _origin(url) == _origin(base) is not None


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None where the port is no number or a user is named."""
    try:
        parts = urlsplit(url)
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        origin = parts.scheme, parts.hostname or "", parts.port or usual
    except ValueError:
        return None
    return None if "@" in parts.netloc else origin
