"""Volcengine ECS: hour, month, year and spot prices of GPU machines, region by region.

Machines and spot prices come from the ECS API, the others from the billing API, which wants two
codes for what it prices. No API lists those codes and their spelling is not documented: the one
here is a guess, and a code the API does not know is rejected in its words. Options, where
`{type}` stands for the instance type: `configuration_code`, `hour_item`, `month_item`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from providers import signing
from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import Answer, Dialect, FetchError, read_json
from providers.live import (
    NO_TENOR,
    Fields,
    LiveAdapter,
    Machine,
    Pages,
    RowError,
    bundle,
    complaint,
)
from providers.offers import Offer, Rejected
from providers.signing.envelopes import by_code, code_of
from providers.spot_history import cheapest_now
from providers.terms import Increment, PurchaseModel, Tenor, Tier

VARIABLES = ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY")
REGIONS = ("cn-beijing", "cn-shanghai", "cn-guangzhou")
"""On the mainland; others are named in the settings."""
CODES = {
    "configuration_code": "{type}.linux",
    "hour_item": "vm_hour",
    "month_item": "vm_month",
}
PERIODS = {
    "hour": (PurchaseModel.ON_DEMAND, Increment.HOUR, NO_TENOR),
    "month": (PurchaseModel.PREPAID, Increment.MONTH, Tenor(months=1)),
    "year": (PurchaseModel.PREPAID, Increment.YEAR, Tenor(months=12)),
}
_MONTHS = {"month": 1, "year": 12}
SPOT_WINDOW = timedelta(days=1)
_ERROR = ("ResponseMetadata", "Error", "Code")


class Volcengine(LiveAdapter):
    name = "volcengine"
    home = "https://open.volcengineapi.com"
    variables = ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY")
    page_size = 100

    def fetch(self) -> Iterator[Snapshot]:
        keys = signing.Keys(self.key(VARIABLES[0]), self.key(VARIABLES[1]))
        for region in self.settings.regions or REGIONS:
            yield self._region(keys, region)

    def _region(self, keys: signing.Keys, region: str) -> Snapshot:
        pages, kinds = list(self._types(keys, region)), []
        for page in pages:
            kinds += [row for row in self._listed_types(page) if _has_gpu(row)]
        # Without the hundreds of types that have no GPU; exact numbers go through text.
        kept = json.dumps(kinds, default=str, ensure_ascii=False).encode()
        parts = {
            "types": replace(pages[0], body=kept),
            "region": replace(pages[0], body=json.dumps(region).encode()),
        }
        for name, row in self.rows(bundle(parts)):
            try:
                _machine_name(Fields(row))
            except RowError:
                continue  # becomes a Rejected when the whole is parsed
            for period in PERIODS:
                parts[f"{period} {name}"] = self._rate(keys, region, name, period)
            parts |= self._spot(keys, region, name)
        return bundle(parts)

    def _types(self, keys: signing.Keys, region: str) -> Iterator[Snapshot]:
        pages, token = Pages(), ""
        while True:
            query: dict[str, str | int] = {"MaxResults": self.page_size}
            more = query | {"NextToken": token} if token else query
            page = pages.new(self._ask(keys, region, "ecs", "DescribeInstanceTypes", more))
            self._listed_types(page)
            yield page
            last, token = token, str(self.document(page, "Result").get("NextToken") or "")
            if token and token == last:  # with another RequestId, so not the same bytes
                raise FetchError(f"{page.address}: the same page a second time")
            if not token:
                return

    def _listed_types(self, page: Snapshot) -> list[Any]:
        return self.listed(page, "Result", "InstanceTypes")

    def _rate(self, keys: signing.Keys, region: str, kind: str, period: str) -> Snapshot:
        item = {
            "ConfigurationCode": self._code("configuration_code", kind),
            "ChargeItemCode": self._code("hour_item" if period == "hour" else "month_item", kind),
            "Count": "1",
            "Quantity": 1,
            "UseDuration": _MONTHS.get(period, 1),
        }
        action = "QueryPriceForPayAsYouGo" if period == "hour" else "QueryPriceForSubscription"
        query = {"Product": "ECS", "ConfigList": [item]}
        return self._ask(keys, region, "billing", action, body=query).snapshot

    def _code(self, name: str, kind: str) -> str:
        return self.settings.options.get(name, CODES[name]).replace("{type}", kind)

    def _spot(self, keys: signing.Keys, region: str, kind: str) -> dict[str, Snapshot]:
        """The last day's spot prices, as many pages as there are."""
        since = f"{self.settings.http.now() - SPOT_WINDOW:%Y-%m-%dT%H:%M:%SZ}"
        query: dict[str, str | int] = {
            "InstanceTypeId": kind,
            "TimestampStart": since,
            "MaxResults": self.page_size,
        }
        found: dict[str, Snapshot] = {}
        pages, token = Pages(), ""
        while True:
            more = query | {"NextToken": token} if token else query
            page = pages.new(self._ask(keys, region, "ecs", "DescribeSpotPriceHistory", more))
            found[f"spot {len(found) + 1} {kind}"] = page
            token = code_of(read_json(page), ("Result", "NextToken"))
            if not token:
                return found

    def _ask(
        self,
        keys: signing.Keys,
        region: str,
        service: str,
        action: str,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> Answer:
        prices = action != "DescribeInstanceTypes"
        dialect = Dialect(
            sign=signing.volcengine(keys, service, region),
            judge=by_code(
                *_ERROR,
                busy=r"FlowLimitExceeded|.*Throttling|.*RateLimit",
                refused=r"InvalidAccessKey|.*Signature|.*Credential|AccessDenied",
                # Which codes mean "not sold" is not documented: whatever is not an outage.
                answer=r"(?!Internal|Service)" if prices else "",
            ),
        )
        version = "2022-01-01" if service == "billing" else "2020-04-01"
        named = {"Action": action, "Version": version, **(query or {})}
        http, url = self.settings.http, f"{self.base}/?{urlencode(named)}"
        secrets = [keys.id, keys.secret]
        if body is None:
            return http.get(url, secrets=secrets, variables=VARIABLES, dialect=dialect)
        return http.post(url, body, secrets=secrets, variables=VARIABLES, dialect=dialect)

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        """Every type that has GPUs, with its price answers."""
        region = self.document(snapshot, "region")
        if not isinstance(region, str) or not region:
            raise FetchError(f"{snapshot.address}: no region in it")
        whole = self.document(snapshot)
        found: list[tuple[str, object]] = []
        for kind in self.listed(snapshot, "types"):
            if not isinstance(kind, Mapping):
                raise FetchError(f"{snapshot.address}: an instance type is no object")
            name = str(kind.get("InstanceTypeId"))
            answers = {period: whole.get(f"{period} {name}") for period in PERIODS}
            spot = [
                answer
                for label, answer in whole.items()
                if label.startswith("spot ") and label.endswith(f" {name}")
            ]
            found.append((name, {**kind, "_region": region, "_answers": answers, "_spot": spot}))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        kind = _machine_name(row)
        gpu, memory, gpus = _device(row)
        machine = Machine(
            provider=self.name,
            instance_type=kind,
            region=row.text("_region"),
            gpu=gpu_id(gpu, memory),
            gpu_name=f"{gpu} ({memory:.0f} GB)" if memory else gpu,
            gpu_count=gpus,
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            vcpu=_maybe(row, "Processor", "Cpus"),
            ram_gb=_gb(_maybe(row, "Memory", "Size")),
        )
        for period, (model, increment, tenor) in PERIODS.items():
            try:
                price, currency, note = _price(row.inner("_answers").get(period))
            except RowError as fault:
                yield Rejected(machine.sku(model, tenor), str(fault), snapshot.address)
                continue
            sold = replace(_in(machine, currency), increment=increment)
            yield sold.offer(model, price, tenor=tenor, note=note)
        try:
            found = cheapest_now(_points(row.rows("_spot")))
            if found is None:
                raise RowError("no spot price in the last day")
        except RowError as fault:
            sku = machine.sku(PurchaseModel.SPOT, NO_TENOR)
            yield Rejected(sku, str(fault), snapshot.address)
            return
        price, note = found
        # The answer names no currency: this host sells in yuan.
        yield _in(machine, "CNY").offer(PurchaseModel.SPOT, price, note=note)


def _in(machine: Machine, currency: str) -> Machine:
    """Prices in yuan include VAT."""
    return replace(machine, currency=currency, tax_included=True if currency == "CNY" else None)


def _machine_name(row: Fields) -> str:
    kind = row.text("InstanceTypeId")
    if not all(part.isalnum() or part in "._-" for part in kind):
        raise RowError("its name is none")
    return kind


def _has_gpu(row: object) -> bool:
    """Whether a type lists GPU devices; what is no object is kept, to be told."""
    if not isinstance(row, Mapping):
        return True
    gpu = row.get("Gpu")
    return bool(gpu.get("GpuDevices") if isinstance(gpu, Mapping) else gpu)


def _device(row: Fields) -> tuple[str, Decimal | None, int]:
    """Name, GB and number of the machine's GPUs."""
    devices = row.inner("Gpu").rows("GpuDevices")
    if len(devices) != 1:
        raise RowError(f"{len(devices)} kinds of GPU")
    device = Fields(devices[0], "GpuDevices")
    return device.text("ProductName"), _gb(_maybe(device, "Memory", "Size")), device.count("Count")


def _maybe(row: Fields, group: str, name: str) -> Decimal | None:
    return row.inner(group).maybe(name) if isinstance(row.get(group), Mapping) else None


def _gb(mebibytes: Decimal | None) -> Decimal | None:
    return None if mebibytes is None else mebibytes / 1024


def _refused(answer: object) -> None:
    code = code_of(answer, _ERROR)
    if code:
        raise RowError(f"{code}, {complaint(answer)}")


def _price(answer: object) -> tuple[Decimal, str, str]:
    """What is paid, its currency, and the list price where that is another."""
    _refused(answer)
    result = Fields(answer, "answer").inner("Result")
    items = result.rows("ConfigList")
    if len(items) != 1:
        raise RowError(f"{len(items)} prices of one machine")
    item = Fields(items[0], "ConfigList")
    listed, paid = item.number("OriginalAmount"), item.number("DiscountAmount")
    if paid > listed:
        raise RowError(f"{paid} to pay for what is listed at {listed}")
    note = "" if paid == listed else f"list price {listed}"
    return paid, result.text("Currency"), note


def _points(pages: Iterable[object]) -> Iterator[tuple[str, str, Decimal]]:
    for page in pages:
        _refused(page)
        for point in Fields(page, "answer").inner("Result").rows("SpotPrices"):
            seen = Fields(point, "SpotPrices")
            yield seen.text("ZoneId"), seen.text("Timestamp"), seen.number("SpotPrice")
