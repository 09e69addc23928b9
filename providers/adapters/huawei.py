"""Huawei Cloud ECS: hour, month and year prices of GPU machines by the BSS rating API.

The API rates what it is asked for and lists nothing, so the machines are a table of documented
flavors; one that a region does not sell is rejected in its words. A rating needs the account's
project of the region: HUAWEICLOUD_SDK_PROJECT_ID (of one region), or all are asked for at IAM.
The price is what this account pays, with its best discount; the list price stands in the note.

Options: `iam_url`, where that is not https://iam.myhuaweicloud.com.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from providers import signing
from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import Dialect, FetchError, read_json
from providers.live import NO_TENOR, Fields, LiveAdapter, Machine, RowError, bundle, complaint
from providers.offers import Offer, Rejected
from providers.signing.envelopes import by_code, code_of
from providers.terms import Increment, PurchaseModel, Tenor, Tier

VARIABLES = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK")
PROJECT = "HUAWEICLOUD_SDK_PROJECT_ID"
REGIONS = ("cn-north-4", "cn-north-9", "cn-east-3", "cn-south-1", "cn-southwest-2")
"""On the mainland; others are named in the settings."""
PERIODS = {
    "hour": (PurchaseModel.ON_DEMAND, Increment.HOUR, NO_TENOR),
    "month": (PurchaseModel.PREPAID, Increment.MONTH, Tenor(months=1)),
    "year": (PurchaseModel.PREPAID, Increment.YEAR, Tenor(months=12)),
}
_PERIOD_TYPES = {"month": 2, "year": 3}
_HOURS = {"usage_factor": "Duration", "usage_value": 1, "usage_measure_id": 4}
_RATINGS = "/v2/bills/ratings"
_CURRENCY_UNITS = 1


class Flavor(NamedTuple):
    """A documented machine: its GPUs and their memory in GB, vCPU and GB of memory."""

    gpu: str
    memory_gb: int
    form: str
    gpus: int
    vcpu: int
    ram_gb: int


def _family(name: str, gpu: str, memory_gb: int, form: str, *sizes: int) -> dict[str, Flavor]:
    """Flavors of 1, 2, 4 … GPUs with 8 vCPUs each; the name ends in GB of memory per vCPU."""
    per_vcpu = int(name.rpartition(".")[2])
    return {
        name.format(f"{2 * gpus}xlarge"): Flavor(
            gpu, memory_gb, form, gpus, 8 * gpus, 8 * gpus * per_vcpu
        )
        for gpus in sizes
    }


FLAVORS = {
    **_family("p3.{}.8", "A100", 80, "PCIe", 1, 2, 4, 8),
    **_family("p2vs.{}.8", "V100", 32, "SXM2", 1, 2, 4, 8),
    **_family("p2v.{}.8", "V100", 16, "SXM2", 1, 2, 4, 8),
    **_family("p2s.{}.8", "V100", 32, "PCIe", 1, 2, 4, 8),
    **_family("p1.{}.8", "P100", 16, "PCIe", 1, 2, 4),
    **_family("pi2.{}.4", "T4", 16, "PCIe", 1, 2, 4, 8),
    "g6.4xlarge.4": Flavor("T4", 16, "PCIe", 1, 16, 64),
    "g6.10xlarge.7": Flavor("T4", 16, "PCIe", 1, 40, 280),
    "g6.20xlarge.7": Flavor("T4", 16, "PCIe", 2, 80, 560),
}
"""ECS documentation, "GPU-accelerated ECSs": specifications of each family. The V100 of p2s is
on PCIe, those of p2v and p2vs on NVLink. Ascend 310 and 910A machines (ai1s, kat1) are left out:
the hardware table has no such card."""


class Huawei(LiveAdapter):
    name = "huawei"
    home = "https://bss.myhuaweicloud.com"
    """International accounts: https://bss-intl.myhuaweicloud.com."""
    variables = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK")

    def fetch(self) -> Iterator[Snapshot]:
        keys = signing.Keys(self.key(VARIABLES[0]), self.key(VARIABLES[1]))
        regions = self.settings.regions or REGIONS
        project = self.maybe_key(PROJECT)
        if project:
            yield from (self._region(keys, region, project) for region in regions)
            return
        known = self._ask(keys, self._iam(), "/v3/projects")
        projects = {
            str(row.get("name")): str(row["id"])
            for row in self.listed(known, "projects")
            if isinstance(row, Mapping) and isinstance(row.get("id"), str)
        }
        for region in regions:
            if region in projects:
                yield self._region(keys, region, projects[region])
            else:
                body = json.dumps({"region": region, "project": False})
                yield replace(known, body=body.encode())

    def _iam(self) -> str:
        usual = "https://iam.myhuaweicloud.com" if "myhuaweicloud.com" in self.base else self.base
        return self.settings.options.get("iam_url", usual).rstrip("/")

    def _region(self, keys: signing.Keys, region: str, project: str) -> Snapshot:
        parts: dict[str, Snapshot] = {}
        for flavor in FLAVORS:
            for period in PERIODS:
                answer = self._rate(keys, region, project, flavor, period)
                parts[f"{period} {flavor}"] = answer
                if code_of(read_json(answer), ("error_code",)):
                    break  # what is not sold by the hour is not sold
        first = next(iter(parts.values()))
        parts["region"] = replace(first, body=json.dumps(region).encode())
        return bundle(parts)

    def _rate(
        self, keys: signing.Keys, region: str, project: str, flavor: str, period: str
    ) -> Snapshot:
        product: dict[str, Any] = {
            "id": "1",
            "cloud_service_type": "hws.service.type.ec2",
            "resource_type": "hws.resource.type.vm",
            "resource_spec": f"{flavor}.linux",
            "region": region,
            "subscription_num": 1,
        }
        query: dict[str, Any] = {"project_id": project}
        if period in _PERIOD_TYPES:
            path = f"{_RATINGS}/period-resources/subscribe-rate"
            product |= {"period_type": _PERIOD_TYPES[period], "period_num": 1}
        else:
            path = f"{_RATINGS}/on-demand-resources"
            product |= _HOURS
            query["inquiry_precision"] = 1
        answer = self._ask(keys, self.base, path, query | {"product_infos": [product]})
        if not code_of(read_json(answer), ("error_code",)):
            _result_of(self, answer, period)
        return answer

    def _ask(
        self, keys: signing.Keys, base: str, path: str, query: Mapping[str, Any] | None = None
    ) -> Snapshot:
        dialect = Dialect(
            sign=signing.huawei(keys),
            judge=by_code(
                "error_code",
                busy=r"APIGW\.0308",
                refused=r"APIGW\.03",
                # 01xx: the question is wrong; 0999: out of order. Others: not sold here.
                answer=r"CBC\.(?!01|09)",
            ),
        )
        http, url = self.settings.http, f"{base}{path}"
        secrets = [keys.id, keys.secret]
        if query is None:
            asked = http.get(url, secrets=secrets, variables=VARIABLES, dialect=dialect)
        else:
            asked = http.post(url, query, secrets=secrets, variables=VARIABLES, dialect=dialect)
        return asked.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        """Every flavor that was asked for, with its answers."""
        region = self.document(snapshot, "region")
        if not isinstance(region, str) or not region:
            raise FetchError(f"{snapshot.address}: no region in it")
        whole = self.document(snapshot)
        if "project" in whole:
            return [(region, {"_no_project": True})]
        flavors = [name.partition(" ")[2] for name in whole if name.startswith("hour ")]
        return [
            (
                f"{flavor} {region}",
                {
                    "_flavor": flavor,
                    "_region": region,
                    "_answers": {period: whole.get(f"{period} {flavor}") for period in PERIODS},
                },
            )
            for flavor in flavors
        ]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if row.get("_no_project"):
            raise RowError("the account has no project in this region")
        flavor = FLAVORS.get(row.text("_flavor"))
        if flavor is None:
            raise RowError("not in the table of flavors")
        said = f"{flavor.gpu} {flavor.form} {flavor.memory_gb} GB"
        machine = Machine(
            provider=self.name,
            instance_type=row.text("_flavor"),
            region=row.text("_region"),
            gpu=gpu_id(flavor.gpu, Decimal(flavor.memory_gb), flavor.form),
            gpu_name=said,
            gpu_count=flavor.gpus,
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            vcpu=Decimal(flavor.vcpu),
            ram_gb=Decimal(flavor.ram_gb),
        )
        for period, (model, increment, tenor) in PERIODS.items():
            answer = row.inner("_answers").get(period)
            if answer is None and period != "hour":
                continue  # not asked: not even sold by the hour
            try:
                price, currency, note = _price(answer, period)
            except RowError as fault:
                yield Rejected(machine.sku(model, tenor), str(fault), snapshot.address)
                continue
            # Prices in yuan include VAT; those of the international site do not.
            sold = replace(
                machine, currency=currency, increment=increment, tax_included=currency == "CNY"
            )
            yield sold.offer(model, price, tenor=tenor, note=note)


def _result_of(adapter: Huawei, answer: Snapshot, period: str) -> None:
    """Raises FetchError where the answer is neither a rating nor a refusal."""
    if period == "hour":
        adapter.listed(answer, "product_rating_results")
    else:
        adapter.document(answer, "official_website_rating_result", "product_rating_results")


def _price(answer: object, period: str) -> tuple[Decimal, str, str]:
    """What is paid, its currency, and the list price where that is another."""
    code = code_of(answer, ("error_code",))
    if code:
        raise RowError(f"{code}, {complaint(answer)}")
    whole = Fields(answer, "answer")
    currency = whole.get("currency") or "CNY"  # as documented: empty means yuan
    if not isinstance(currency, str):
        raise RowError("currency is no text")
    if period == "hour":
        result = _only(whole.rows("product_rating_results"))
        listed, paid, why = result.number("official_website_amount"), result.number("amount"), ""
        less = result.maybe("discount_amount") or Decimal(0)
        if listed - less != paid:
            raise RowError(f"{listed} less {less} is not {paid}")
    else:
        official = whole.inner("official_website_rating_result")
        listed = _only(official.rows("product_rating_results")).number("official_website_amount")
        paid, why = _best(whole, listed)
    note = "" if paid == listed else f"list price {listed}{why}"
    return paid, currency, note


def _best(whole: Fields, listed: Decimal) -> tuple[Decimal, str]:
    """What the best of this account's discounts leaves to pay, and what it is called."""
    name = "optional_discount_rating_results"
    for offered in whole.rows(name) if whole.get(name) else ():
        discount = Fields(offered, "discount")
        if discount.get("best_offer") == 1:
            paid = _only(discount.rows("product_rating_results")).number("amount")
            return paid, f", less: {discount.get('discount_name') or 'a discount'}"
    return listed, ""


def _only(results: Iterable[object]) -> Fields:
    """The one product that was asked for, in yuan or dollars and not in hundredths."""
    found = [Fields(result, "product_rating_results") for result in results]
    if len(found) != 1:
        raise RowError(f"{len(found)} ratings of one machine")
    unit = found[0].get("measure_id")
    if unit not in (None, _CURRENCY_UNITS):
        raise RowError(f"amounts are in unit {unit}")
    return found[0]
