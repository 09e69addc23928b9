"""Alibaba Cloud ECS: hour, week, month, year and spot prices of GPU machines, region by region.

One call is one price, so only machines that a region has in stock are asked for. A price is the
trade price of the machine alone: system disk and network are billed beside it. Week, month and
year are totals, paid when they start; weeks are sold on the China site only. Account and campaign
discounts are in the trade price; the list price and the rule's name stand in the note.

Options: `families`, a comma-separated list, instead of every family that has GPUs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

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

VARIABLES = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
REGIONS = (
    "cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "cn-zhangjiakou", "cn-wulanchabu",
    "cn-guangzhou", "cn-chengdu", "cn-heyuan", "cn-qingdao", "cn-huhehaote",
)  # fmt: skip
"""On the mainland; others (cn-hongkong, ap-southeast-1 …) are named in the settings."""
PERIODS = {
    "Hour": (PurchaseModel.ON_DEMAND, Increment.HOUR, NO_TENOR),
    "Week": (PurchaseModel.PREPAID, Increment.WEEK, Tenor(days=7)),
    "Month": (PurchaseModel.PREPAID, Increment.MONTH, Tenor(months=1)),
    "Year": (PurchaseModel.PREPAID, Increment.YEAR, Tenor(months=12)),
}
SPOT_WINDOW = timedelta(days=1)
_DISKS = ("cloud_essd", "cloud_efficiency", "cloud_auto")
"""Tried in this order: a machine takes only some kinds, and a price needs one that it takes."""
_WRONG_DISK = "InvalidSystemDiskCategory"
_SLICED = ("ecs.vgn", "ecs.sgn")
"""Families that share a GPU among machines."""
_IN_STOCK = ("WithStock", "ClosedWithStock")
_FIRST_PURCHASE = ("首购", "首单", "新客", "新用户", "first purchase", "new user")
_PATH = ("SpotPrices", "SpotPriceType")


class Alibaba(LiveAdapter):
    name = "alibaba"
    provider = "aliyun"
    """How price tables call it."""
    home = "https://ecs.{region}.aliyuncs.com"
    pause_s = 0.4
    variables = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    page_size = 100

    def fetch(self) -> Iterator[Snapshot]:
        keys = signing.Keys(self.key(VARIABLES[0]), self.key(VARIABLES[1]))
        for region in self.settings.regions or REGIONS:
            yield self._region(keys, region)

    def _region(self, keys: signing.Keys, region: str) -> Snapshot:
        parts: dict[str, Snapshot] = {}
        pages, token = Pages(), ""
        while True:
            query: dict[str, str | int] = {"MinimumGPUAmount": 1, "MaxResults": self.page_size}
            more = query | {"NextToken": token} if token else query
            page = pages.new(self._ask(keys, region, "DescribeInstanceTypes", more))
            self.listed(page, "InstanceTypes", "InstanceType")
            parts[f"types {len(parts) + 1}"] = page
            last, token = token, str(self.document(page).get("NextToken") or "")
            if token and token == last:  # with another RequestId, so not the same bytes
                raise FetchError(f"{page.address}: the same page a second time")
            if not token:
                break
        first = next(iter(parts.values()))
        parts["region"] = replace(first, body=json.dumps(region).encode())
        stock = {"DestinationResource": "InstanceType", "InstanceChargeType": "PostPaid"}
        parts["stock"] = self._ask(keys, region, "DescribeAvailableResource", stock).snapshot
        for kind in self._to_ask(bundle(parts)):
            parts |= self._prices(keys, region, kind)
        return bundle(parts)

    def _to_ask(self, known: Snapshot) -> Iterator[str]:
        for name, row in self.rows(known):
            try:
                _wanted(Fields(row))
            except RowError:
                continue  # becomes a Rejected when the whole is parsed
            yield name

    def _prices(self, keys: signing.Keys, region: str, kind: str) -> dict[str, Snapshot]:
        found: dict[str, Snapshot] = {}
        for unit in PERIODS:
            hour = read_json(found["Hour " + kind]) if found else None
            if unit == "Week" and _currency_of(hour) != "CNY":
                continue  # the international site sells no weeks
            for disk in _DISKS:
                query: dict[str, str | int] = {
                    "ResourceType": "instance",
                    "InstanceType": kind,
                    "InstanceNetworkType": "vpc",
                    "SystemDisk.Category": disk,
                    "SystemDisk.Size": 40,
                    "PriceUnit": unit,
                    "Period": 1,
                    "Amount": 1,
                }
                answer = self._ask(keys, region, "DescribePrice", query).snapshot
                found[f"{unit} {kind}"] = answer
                if not code_of(read_json(answer), ("Code",)).startswith(_WRONG_DISK):
                    break
        return found | self._spot(keys, region, kind)

    def _spot(self, keys: signing.Keys, region: str, kind: str) -> dict[str, Snapshot]:
        """The last day's spot prices, as many pages as there are."""
        since = f"{self.settings.http.now() - SPOT_WINDOW:%Y-%m-%dT%H:%M:%SZ}"
        query: dict[str, str | int] = {
            "InstanceType": kind,
            "NetworkType": "vpc",
            "StartTime": since,
        }
        found: dict[str, Snapshot] = {}
        pages, offset = Pages(), 0
        while True:
            more = query | {"Offset": offset} if offset else query
            page = pages.new(self._ask(keys, region, "DescribeSpotPriceHistory", more))
            found[f"Spot {len(found) + 1} {kind}"] = page
            document = read_json(page)
            after = document.get("NextOffset") if isinstance(document, Mapping) else None
            # Whether there are later rows is only told by asking for them.
            if not _below(document, _PATH) or not isinstance(after, int) or after <= offset:
                return found
            offset = after

    def _ask(
        self, keys: signing.Keys, region: str, action: str, query: Mapping[str, str | int]
    ) -> Answer:
        refusals = r"Invalid(?!AccessKey|TimeStamp|SecurityToken)|OperationDenied|Price"
        dialect = Dialect(
            sign=signing.alibaba(keys),
            judge=by_code(
                "Code",
                busy=r"Throttling|ServiceUnavailable",
                refused=r"InvalidAccessKey|SignatureDoesNotMatch|IncompleteSignature|Forbidden",
                answer=refusals if action in ("DescribePrice", "DescribeSpotPriceHistory") else "",
            ),
        )
        common: dict[str, str | int] = {
            "Action": action,
            "Version": "2014-05-26",
            "Format": "JSON",
            "RegionId": region,
        }
        return self.settings.http.get(
            f"{self.base.replace('{region}', region)}/",
            params=common | dict(query),
            secrets=[keys.id, keys.secret],
            variables=VARIABLES,
            dialect=dialect,
        )

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        """Every type of every page, with the region, whether it has it, and its price answers."""
        whole = self.document(snapshot)
        region = self.document(snapshot, "region")
        if not isinstance(region, str) or not region:
            raise FetchError(f"{snapshot.address}: no region in it")
        stock = self._stock(snapshot)
        wanted = {name for name in self.settings.options.get("families", "").split(",") if name}
        found: list[tuple[str, object]] = []
        for page in (name for name in whole if name.startswith("types ")):
            for kind in self.listed(snapshot, page, "InstanceTypes", "InstanceType"):
                if not isinstance(kind, Mapping):
                    raise FetchError(f"{snapshot.address}: an instance type is no object")
                name = str(kind.get("InstanceTypeId"))
                if wanted and kind.get("InstanceTypeFamily") not in wanted:
                    continue
                extra = {
                    "_region": region,
                    "_stock": stock.get(name),
                    "_prices": {unit: whole.get(f"{unit} {name}") for unit in PERIODS},
                    "_spot": [
                        answer
                        for label, answer in whole.items()
                        if label.startswith("Spot ") and label.endswith(f" {name}")
                    ],
                }
                found.append((name, {**kind, **extra}))
        return found

    def _stock(self, snapshot: Snapshot) -> dict[str, bool]:
        """Every type the region sells by the hour → whether some zone has it."""
        found: dict[str, bool] = {}
        zones = self.listed(snapshot, "stock", "AvailableZones", "AvailableZone")
        for zone in zones:
            for resource in _below(zone, ("AvailableResources", "AvailableResource")):
                for kind in _below(resource, ("SupportedResources", "SupportedResource")):
                    if isinstance(kind, Mapping) and isinstance(kind.get("Value"), str):
                        there = kind.get("StatusCategory") in _IN_STOCK
                        found[kind["Value"]] = there or found.get(kind["Value"], False)
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        _wanted(row)
        memory, said = row.maybe("GPUMemorySize"), row.text("GPUSpec")
        machine = Machine(
            provider=self.provider,
            instance_type=row.text("InstanceTypeId"),
            region=row.text("_region"),
            gpu=gpu_id(said, memory),
            gpu_name=f"{said} ({memory} GB)" if memory else said,
            gpu_count=row.count("GPUAmount"),
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            vcpu=row.maybe("CpuCoreCount"),
            ram_gb=row.maybe("MemorySize"),
        )
        for unit, (model, increment, tenor) in PERIODS.items():
            answer = row.inner("_prices").get(unit)
            if unit == "Week" and answer is None:
                continue
            try:
                price, currency, note = _price(answer)
            except RowError as fault:
                yield Rejected(machine.sku(model, tenor), str(fault), snapshot.address)
                continue
            sold = replace(_in(machine, currency), increment=increment)
            yield sold.offer(model, price, tenor=tenor, note=note)
        try:
            price, currency, note = _spot_price(row.rows("_spot"))
        except RowError as fault:
            sku = machine.sku(PurchaseModel.SPOT, NO_TENOR)
            yield Rejected(sku, str(fault), snapshot.address)
            return
        yield _in(machine, currency).offer(PurchaseModel.SPOT, price, note=note)


def _wanted(row: Fields) -> None:
    """Raises RowError for machines whose prices are not asked for."""
    region = row.text("_region")
    if not re.fullmatch(r"[\w.-]+", row.text("InstanceTypeId")):
        raise RowError("its name is none")
    if row.text("InstanceTypeFamily").startswith(_SLICED):
        raise RowError("a slice of a GPU")
    if row.count("GPUAmount") < 1:
        raise RowError("no GPU")
    if row.get("_stock") is None:
        raise RowError(f"not sold in {region}")
    if row.get("_stock") is False:
        raise RowError(f"sold out in every zone of {region}")


def _in(machine: Machine, currency: str) -> Machine:
    """Prices in yuan include VAT; those of the international site, in dollars, do not."""
    return replace(machine, currency=currency, tax_included=currency == "CNY")


def _price(answer: object) -> tuple[Decimal, str, str]:
    """Trade price of the machine alone, currency, and what else there is to say."""
    if code_of(answer, ("Code",)):
        raise RowError(f"{code_of(answer, ('Code',))}, {complaint(answer)}")
    info = Fields(answer, "answer").inner("PriceInfo")
    price = info.inner("Price")
    details = price.inner("DetailInfos").rows("DetailInfo")
    mine = [d for d in details if isinstance(d, Mapping) and d.get("Resource") == "instanceType"]
    if len(mine) != 1:
        raise RowError(f"{len(mine)} prices of the machine alone")
    machine = Fields(mine[0], "DetailInfo")
    trade, listed = machine.number("TradePrice"), machine.maybe("OriginalPrice")
    note = ""
    if listed is not None and listed != trade:
        rules = [*_rules(info.row, "Rules"), *_rules(mine[0], "SubRules")]
        names = [str(rule["Description"]) for rule in rules if "Description" in rule]
        note = f"list price {listed}"
        note += f", less: {', '.join(dict.fromkeys(names))}" if names else ""
        if any(word in name.lower() for name in names for word in _FIRST_PURCHASE):
            note += "; on the first purchase only"
    return trade, price.text("Currency"), note


def _spot_price(pages: Iterable[object]) -> tuple[Decimal, str, str]:
    """The newest price of the cheapest zone, its currency, and what there is to say."""
    points: list[tuple[str, str, Decimal]] = []
    currency = ""
    for page in pages:
        if code_of(page, ("Code",)):
            raise RowError(f"{code_of(page, ('Code',))}, {complaint(page)}")
        answer = Fields(page, "answer")
        currency = answer.text("Currency")
        for point in answer.inner(_PATH[0]).rows(_PATH[1]):
            seen = Fields(point, _PATH[1])
            points.append((seen.text("ZoneId"), seen.text("Timestamp"), seen.number("SpotPrice")))
    found = cheapest_now(points)
    if found is None:
        raise RowError("no spot price in the last day")
    return found[0], currency, found[1]


def _rules(document: object, name: str) -> Iterator[Mapping[str, Any]]:
    return (rule for rule in _below(document, (name, "Rule")) if isinstance(rule, Mapping))


def _currency_of(answer: object) -> str:
    return code_of(answer, ("PriceInfo", "Price", "Currency"))


def _below(document: object, path: Iterable[str]) -> list[Any]:
    """The list below `path`; empty where there is none."""
    for step in path:
        document = document.get(step) if isinstance(document, Mapping) else None
    return document if isinstance(document, list) else []
