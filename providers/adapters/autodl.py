"""AutoDL: the Chinese retail market, by the second and as day, week, month and year packages.

Off unless the option `accept_terms` is ``yes``: the search behind the market page is no published
API, and is asked with the user's own login. The official developer API tells only the stock of
data centres for another product, and no prices, so it is not asked.

Prices are thousandths of a yuan per GPU. A market of thousands of machines becomes an order book.
Machines with the same card in the same region are one product; its GPUs are offered one by one, by
how many can be had on one host. A machine with 7 of 8 GPUs free has a block of 4, one of 2 and one
of 1. All blocks of one size at one price are one offer: `max_gpus_per_host` is the size,
`max_units` the GPUs in them. So no plan gets more GPUs on one host, nor more in all, than are free,
and thousands of machines are hundreds of rows. The cheapest price of a size has the plain sku,
dearer ones are ``level 2``, ``level 3`` and so on: day by day, the plain sku is the least price at
which such a block could be had. A product that is all rented is rejected as one, a machine that
cannot be read by itself. Free GPUs stand in the offers by the second and in those of every package:
which terms they go on is decided when they are ordered.

Options: `charge_types` (comma-separated, such as ``payg,monthly``) instead of all five; `member`
``yes`` for the least price that a membership level pays instead of everybody's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id, interconnect
from providers.http import Dialect, FetchError, TurnedOffError
from providers.live import NO_TENOR, Fields, LiveAdapter, Machine, Pages, RowError, complaint
from providers.offers import Offer, Rejected
from providers.signing.envelopes import by_code
from providers.terms import Increment, PurchaseModel, Tenor, Tier

VARIABLE = "AUTODL_TOKEN"
KINDS = {
    "payg": (PurchaseModel.ON_DEMAND, Increment.SECOND, NO_TENOR),
    "daily": (PurchaseModel.PREPAID, Increment.DAY, Tenor(days=1)),
    "weekly": (PurchaseModel.PREPAID, Increment.WEEK, Tenor(days=7)),
    "monthly": (PurchaseModel.PREPAID, Increment.MONTH, Tenor(months=1)),
    "yearly": (PurchaseModel.PREPAID, Increment.YEAR, Tenor(months=12)),
}
BLOCKS = (16, 8, 4, 2, 1)
"""Powers of two, as plans order them: any number of free GPUs is a sum of these."""
LEAST_SHARE = Decimal("0.9")
"""Of the machines a market counts: it moves while it is read, but not by more."""
_GOOD = ("Success", "OK")
_DIALECT = Dialect(judge=by_code("code", refused="Auth"))
_GIB = 2**30
_KEPT = (
    "machine_id", "region_sign", "gpu_name", "gpu_memory", "gpu_number", "gpu_idle_num",
    "gpu_order_num", "cpu_per_gpu", "mem_per_gpu",
)  # fmt: skip
_OFF = (
    "autodl is turned off: it asks the search behind the market page of www.autodl.com, which is"
    " no published API, with your own login. Read the site's terms of use first; if they allow"
    ' it, set accept_terms = "yes" under [providers.autodl.options] in rentopt.toml'
)


@dataclass(frozen=True, slots=True)
class _Host:
    """What one machine offers on one kind of terms; money in yuan per GPU."""

    name: str
    region: str
    gpu_name: str
    memory_gb: int
    free: int
    vcpu: Decimal
    ram_gb: Decimal
    price: Decimal
    listed: Decimal

    @property
    def product(self) -> str:
        size = f"{self.memory_gb}G"
        return self.gpu_name if size in self.gpu_name.upper() else f"{self.gpu_name} {size}"


class AutoDl(LiveAdapter):
    name = "autodl"
    home = "https://www.autodl.com"
    variables = ("AUTODL_TOKEN",)
    page_size = 100

    def fetch(self) -> Iterator[Snapshot]:
        if self.settings.options.get("accept_terms") != "yes":
            raise TurnedOffError(_OFF)
        kinds, token = self._kinds(), self.key(VARIABLE)
        for kind in kinds:
            yield self._market(kind, token)

    def _kinds(self) -> list[str]:
        named = self.settings.options.get("charge_types", "").split(",")
        kinds = [kind.strip() for kind in named if kind.strip()] or list(KINDS)
        for kind in kinds:
            if kind not in KINDS:
                raise FetchError(f"autodl: '{kind}' is no charge type; known: {', '.join(KINDS)}")
        return kinds

    def _market(self, kind: str, token: str) -> Snapshot:
        """All machines sold on one kind of terms, reduced to the fields that are read here."""
        pages, machines, read = Pages(), list[Any](), list[Snapshot]()
        for number in count(1):
            answer = self.settings.http.post(
                f"{self.base}/api/v1/machine/search",
                self._question(kind, number),
                headers={"Authorization": token},
                secrets=[token],
                variables=[VARIABLE],
                dialect=_DIALECT,
            )
            page = pages.new(answer)
            read.append(page)
            code = self.document(page, "code")
            if code not in _GOOD:
                raise FetchError(f"{page.address}: {code!r:.40}, {complaint(self.document(page))}")
            machines += [_reduced(row, kind) for row in self.listed(page, "data", "list")]
            try:
                data = Fields(self.document(page, "data"), "data")
                last, total = data.count("max_page"), data.count("result_total")
            except RowError as fault:
                raise FetchError(f"{page.address}: {fault}") from None
            if number >= last:
                break
        different = {str(row.get("machine_id")) for row in machines if isinstance(row, dict)}
        if len(different) < LEAST_SHARE * total:
            said = f"{len(different)} different machines on {number} pages, of {total}"
            raise FetchError(f"{read[0].address}: {said}; pages are missing")
        body = json.dumps({"type": kind, "machines": machines}, ensure_ascii=False, default=str)
        return Snapshot(read[0].address, read[0].observed_at, body.encode())

    def _question(self, kind: str, page: int) -> dict[str, Any]:
        return {
            "charge_type": kind,
            "region_sign_list": list(self.settings.regions),
            "gpu_type_name": [],
            "machine_tag_name": [],
            "gpu_idle_num": 0,
            "mount_net_disk": False,
            "instance_disk_size_order": "",
            "date_range": "",
            "date_from": "",
            "date_to": "",
            "page_index": page,
            "page_size": self.page_size,
            "pay_price_order": "",
            "gpu_idle_type": "",
            "default_order": True,
        }

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        kind = self.document(snapshot, "type")
        if kind not in list(KINDS):
            raise FetchError(f"{snapshot.address}: machines sold '{kind!r:.40}'")
        products: dict[tuple[str, str], list[_Host]] = {}
        odd: list[tuple[str, object]] = []
        seen: set[str] = set()
        for row in self.listed(snapshot, "machines"):
            try:
                host = self._host(Fields(row), kind)
                if host.name in seen:
                    raise RowError("listed a second time")
            except RowError as fault:
                name = row.get("machine_id") if isinstance(row, dict) else "?"
                odd.append((f"machine {name} {kind}", {"fault": str(fault)}))
                continue
            seen.add(host.name)
            products.setdefault((host.product, host.region), []).append(host)
        named = [(f"{'/'.join(key)} {kind}", hosts) for key, hosts in products.items()]
        return [*((name, {"kind": kind, "hosts": hosts}) for name, hosts in named), *odd]

    def _host(self, row: Fields, kind: str) -> _Host:
        terms = _terms(row, kind)
        price, listed = terms.count("current_price"), terms.maybe("origin_price") or Decimal(0)
        if self.settings.options.get("member") == "yes":
            levels = [Fields(level, "level_config") for level in terms.rows("level_config")]
            price = min([price, *(level.count("discounted_price") for level in levels)])
        if price == 0:
            raise RowError("0 CNY is not a price")
        idle, size = row.count("gpu_idle_num"), row.count("gpu_number")
        if idle > size:
            raise RowError(f"{idle} of {size} GPUs are free")
        return _Host(
            name=row.text("machine_id"),
            region=row.text("region_sign"),
            gpu_name=row.text("gpu_name"),
            memory_gb=round(row.number("gpu_memory") / _GIB),
            free=min(idle, row.count("gpu_order_num")),
            vcpu=row.number("cpu_per_gpu"),
            ram_gb=round(row.number("mem_per_gpu") / _GIB, 1),
            price=Decimal(price) / 1000,
            listed=listed / 1000,
        )

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if "fault" in row.row:
            raise RowError(row.text("fault"))
        kind, hosts = row.text("kind"), row.rows("hosts")
        model, _, tenor = KINDS[kind]
        if not any(host.free for host in hosts):
            least = min(host.price for host in hosts)
            raise RowError(f"no GPU is free on {_machines(hosts)} (from {least} CNY)")
        for size in BLOCKS:
            prices = sorted({host.price for host in hosts if _blocks(host, size)})
            for level, price in enumerate(prices, 1):
                have = [host for host in hosts if host.price == price and _blocks(host, size)]
                gpus = size * sum(_blocks(host, size) for host in have)
                machine = self._machine(kind, have, size, snapshot, gpus, level)
                yield machine.offer(model, price, tenor=tenor)

    def _machine(
        self,
        kind: str,
        hosts: Sequence[_Host],
        size: int,
        snapshot: Snapshot,
        gpus: int,
        level: int = 1,
    ) -> Machine:
        one, listed = hosts[0], max(host.listed for host in hosts)
        gpu = gpu_id(one.gpu_name, one.memory_gb)
        notes = [f"free on {_machines(hosts)} when read"]
        notes += [f"reduced from {listed}"] * (listed > one.price)
        notes += ["the clock runs whether it is on or off"] * (kind != "payg")
        return Machine(
            provider=self.name,
            instance_type=f"{one.product} x{size}" + f" level {level}" * (level > 1),
            region=one.region,
            gpu=gpu,
            gpu_name=f"{one.gpu_name} ({one.memory_gb} GB)",
            gpu_count=1,
            snapshot=snapshot,
            tier=Tier.MARKETPLACE,
            vcpu=min(host.vcpu for host in hosts),
            ram_gb=min(host.ram_gb for host in hosts),
            interconnect=interconnect(gpu, size) if gpu else "",
            currency="CNY",
            increment=KINDS[kind][1],
            max_units=gpus,
            max_gpus_per_host=size,
            tax_included=True,
            note="; ".join(notes),
        )


def _machines(hosts: Sequence[_Host]) -> str:
    return f"{len(hosts)} machine{'s' * (len(hosts) > 1)}"


def _blocks(host: _Host, size: int) -> int:
    """How many blocks of `size` GPUs are among the host's free ones."""
    blocks: int = host.free // size
    return blocks if size == BLOCKS[0] else blocks % 2


def _terms(row: Fields, kind: str) -> Fields:
    for entry in row.rows("machine_sku_info"):
        terms = Fields(entry, "machine_sku_info")
        if terms.get("type") == kind:
            return terms
    raise RowError(f"not sold {kind}")


def _reduced(row: object, kind: str) -> object:
    """A machine without what is not read: addresses of hosts, drivers, disks, other terms."""
    if not isinstance(row, dict):
        return row
    kept = {name: row[name] for name in _KEPT if name in row}
    terms = row.get("machine_sku_info")
    if isinstance(terms, list):
        kept["machine_sku_info"] = [
            entry for entry in terms if not isinstance(entry, dict) or entry.get("type") == kind
        ]
    return kept
