"""AWS: on-demand, reserved, spot, savings plans and capacity blocks, for the regions wanted.

With a credential the services are asked by boto3, and all answers of a region are one snapshot.
Without one the bulk price files are read, which have on-demand and reserved prices.

Options: `capacity_block_hours`, the lengths asked for, such as `24,168`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from providers.adapter import Snapshot
from providers.adapters.aws import bulk, products, terms
from providers.adapters.aws.access import Api, Keys, keys_of_profile
from providers.adapters.aws.asking import (
    ADVISOR,
    BLOCKS,
    HOLDS,
    PLANS,
    PRODUCTS,
    SPOT,
    TYPES,
    Found,
    Questions,
)
from providers.adapters.aws.machines import Region, is_read
from providers.http import CredentialError, FetchError
from providers.live import Fields, LiveAdapter, RowError
from providers.offers import Offer, Rejected

BLOCK_HOURS = "24,168,336"
"""A day, a week, two weeks."""
_LONGEST_BLOCK_H = 182 * 24
_REFUSED = "refused"


class Aws(LiveAdapter):
    name = "aws"
    home = "https://pricing.us-east-1.amazonaws.com"
    index: ClassVar[str] = "/offers/v1.0/aws/index.json"
    known: ClassVar[tuple[str, ...]] = (
        "us-east-1", "us-east-2", "us-west-2", "eu-central-1", "eu-north-1", "ap-northeast-1",
    )  # fmt: skip
    """Regions asked unless the settings name others."""
    file_regions: ClassVar[tuple[str, ...]] = ("us-east-1",)
    """The same without a credential: a region's file has several hundred MB."""
    pricing_region: ClassVar[str] = "us-east-1"
    """The price list answers in few regions, for all."""
    currency: ClassVar[str] = "USD"
    tax_included: ClassVar[bool | None] = False
    variables = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    keyless = True
    prefix: ClassVar[str] = "AWS"
    """How the names of its environment variables begin."""
    advisor: ClassVar[str] = "https://spot-bid-advisor.s3.amazonaws.com"

    def fetch(self) -> Iterator[Snapshot]:
        keys = self._keys()
        yield from self._by_files() if keys is None else self._by_api(keys)

    def _keys(self) -> Keys | None:
        """None: no credential is set at all."""
        names = tuple(
            f"{self.prefix}_{end}"
            for end in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE")
        )
        access, secret, token, profile = (self.maybe_key(name) for name in names)
        if not any((access, secret, token, profile)):
            return None
        if profile and not (access or secret):
            return keys_of_profile(profile, names[3], self.settings.environment)
        used = names[:3] if token else names[:2]
        return Keys(self.key(names[0]), self.key(names[1]), token, used)

    def _by_api(self, keys: Keys) -> Iterator[Snapshot]:
        http = self.settings.http
        api = Api(http, keys, self.settings.base_url, self.document)
        questions = Questions(api, self.pricing_region, self._block_hours())
        asked: list[Found] = []
        advisor: Snapshot | None = None
        trouble = ""
        for name in self.settings.regions or self.known:
            found = questions.region(name, http.now())
            if not asked and self.advisor:
                try:
                    advisor = self._advisor()
                except FetchError as failure:
                    trouble = str(failure)
            if advisor is not None:
                found.answers.append((ADVISOR, advisor))
            if trouble:
                found.refused.append((f"spot advisor for {name}", trouble))
            asked.append(found)
            yield found.snapshot()
        if not any(found.heard for found in asked):
            kind = CredentialError if all(found.credential for found in asked) else FetchError
            raise kind(f"{self.name}: EC2 answers in no region: {asked[0].refused[0][1]}"[:400])

    def _block_hours(self) -> tuple[int, ...]:
        text = self.settings.options.get("capacity_block_hours", BLOCK_HOURS)
        words = [word.strip() for word in text.split(",") if word.strip()]
        hours = tuple(int(word) for word in words if word.isdecimal())
        if len(hours) < len(words) or any(h % 24 or not 0 < h <= _LONGEST_BLOCK_H for h in hours):
            raise FetchError(
                f"{self.name}: capacity_block_hours is '{text[:60]}'; "
                f"it lists hours in steps of 24 up to {_LONGEST_BLOCK_H}, such as {BLOCK_HOURS}"
            )
        return hours

    def _advisor(self) -> Snapshot:
        """How often spot machines are taken back, of the regions and machines that are read."""
        base = (self.settings.base_url or self.advisor).rstrip("/")
        page = self.settings.http.get(f"{base}/spot-advisor-data.json").snapshot
        wanted = self.settings.regions or self.known
        kept = {}
        for region, systems in Fields(self.document(page, "spot_advisor")).row.items():
            linux = systems.get("Linux") if isinstance(systems, dict) else None
            if region in wanted and isinstance(linux, dict):
                found = {kind: {"r": entry.get("r")} for kind, entry in linux.items()
                         if is_read(kind) and isinstance(entry, dict)}  # fmt: skip
                kept[region] = {"Linux": found}
        slim = {"spot_advisor": kept, "ranges": self.document(page, "ranges")}
        return replace(page, body=json.dumps(slim, default=str).encode())

    def _by_files(self) -> Iterator[Snapshot]:
        http = self.settings.http
        urls = bulk.region_urls(http, f"{self.base}{self.index}", self.document)
        for name in self.settings.regions or self.file_regions:
            if name not in urls:
                known = ", ".join(sorted(urls))[:200]
                raise FetchError(f"{self.name}: no price file of region '{name}'; known: {known}")
            yield bulk.region_file(http, urls[name])

    # -- reading ---------------------------------------------------------------------------

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        if bulk.is_file(snapshot.body):
            return self._rows_of_file(snapshot)
        return self._rows_of_region(snapshot)

    def _rows_of_file(self, snapshot: Snapshot) -> Iterator[tuple[str, object]]:
        entries, odd = bulk.entries(snapshot)
        region = self._region(bulk.region_of(snapshot), {}, products.counts(entries))
        for name, row in products.rows(entries):
            yield name, {"operation": PRODUCTS, "row": row, "region": region}
        for name, reason in odd:
            yield f"{name} of {region.name}", {"operation": _REFUSED, "reason": reason}

    def _rows_of_region(self, snapshot: Snapshot) -> Iterator[tuple[str, object]]:
        answers: dict[str, list[tuple[str, Any]]] = {operation: [] for operation in HOLDS}
        answers[ADVISOR] = []
        try:
            whole = Fields(self.document(snapshot))
            name = whole.text("region")
            for part in whole.rows("answers"):
                said = Fields(part, "answers")
                operation, address = said.text("operation"), said.text("address")
                if operation not in answers:
                    raise RowError(f"an answer of '{operation[:40]}'")
                if operation == ADVISOR:
                    answers[ADVISOR].append((address, said.inner("answer").row))
                else:
                    listed = said.inner("answer").rows(HOLDS[operation])
                    answers[operation] += [(address, row) for row in listed]
            refused = [(r.text("asked"), r.text("reason"))
                       for r in map(Fields, whole.rows("refused"))]  # fmt: skip
        except RowError as fault:
            raise FetchError(f"{snapshot.address}: {fault}") from None
        yield from self._rows_of(name, answers)
        for asked, reason in refused:
            yield asked, {"operation": _REFUSED, "reason": reason}

    def _rows_of(
        self, name: str, answers: dict[str, list[tuple[str, Any]]]
    ) -> Iterator[tuple[str, object]]:
        listed = [row for _, row in answers[PRODUCTS]]
        types = {
            row["InstanceType"]: row
            for _, row in answers[TYPES]
            if isinstance(row, dict) and isinstance(row.get("InstanceType"), str)
        }
        counts = products.counts(listed)
        region = self._region(name, types, counts)
        for address, entry in answers[PRODUCTS]:
            for label, row in products.rows([entry]):
                yield label, _row(PRODUCTS, address, row, region)
        for kind in sorted(types):
            if is_read(kind) and kind not in counts:
                reason = "EC2 has it here, but the price list has no price for it"
                yield f"{kind} {name}", {"operation": _REFUSED, "reason": reason}
        if not listed:
            yield name, {"operation": _REFUSED, "reason": "the price list has nothing there"}
        shared = {
            "newest": terms.newest([row for _, row in answers[SPOT]]),
            "advisor": next((row for _, row in answers[ADVISOR]), None),
        }
        for address, row in answers[SPOT]:
            yield _label(row, "spot", "InstanceType", "AvailabilityZoneId"), {
                **_row(SPOT, address, row, region), **shared,
            }  # fmt: skip
        for address, row in answers[PLANS]:
            yield _label(row, "savings plan", "usageType"), _row(PLANS, address, row, region)
        for address, row in sorted(answers[BLOCKS], key=lambda pair: terms.block_order(pair[1])):
            label = _label(row, "capacity block", "InstanceType", "CapacityBlockOfferingId")
            yield label, _row(BLOCKS, address, row, region)

    def _region(self, name: str, types: dict[str, Any], counts: dict[str, Any]) -> Region:
        return Region(self.name, self.currency, self.tax_included, name, types, counts)

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        operation = row.get("operation")
        if operation == _REFUSED:
            raise RowError(row.text("reason"))
        region: Region = row.get("region")
        source = replace(snapshot, address=row.get("address") or snapshot.address)
        inside = Fields(row.get("row"))
        if operation == PRODUCTS:
            yield from products.fates(inside, region, source)
        elif operation == SPOT:
            last, advisor = row.get("newest"), row.get("advisor")
            yield from terms.spot(inside, region, source, last, advisor)
        elif operation == PLANS:
            yield from terms.plan(inside, region, source)
        else:
            yield from terms.block(inside, region, source)


class AwsChina(Aws):
    """The AWS of China: another account, another price list, in yuan."""

    name = "aws_china"
    home = "https://pricing.cn-north-1.amazonaws.com.cn"
    index = "/offers/v1.0/cn/index.json"
    known = ("cn-north-1", "cn-northwest-1")
    file_regions = ("cn-northwest-1",)
    pricing_region = "cn-northwest-1"
    currency = "CNY"
    tax_included = None
    variables = ("AWS_CHINA_ACCESS_KEY_ID", "AWS_CHINA_SECRET_ACCESS_KEY")
    prefix = "AWS_CHINA"
    advisor = ""
    """The spot advisor does not cover China."""


def _row(operation: str, address: str, row: object, region: Region) -> dict[str, object]:
    return {"operation": operation, "address": address, "row": row, "region": region}


def _label(row: object, kind: str, *names: str) -> str:
    words = [row.get(name) for name in names] if isinstance(row, dict) else []
    return " ".join([kind, *(str(word) for word in words if word)])
