"""What is asked of one region, and in which order. The answers of a region are one snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.adapter import Snapshot
from providers.adapters.aws.access import Api, DeclinedError, NoAnswerError
from providers.adapters.aws.machines import CARDS, FAMILIES, is_read
from providers.adapters.aws.products import FILTERS
from providers.http import Answer, CredentialError
from providers.live import Pages

PRODUCTS = "GetProducts"
TYPES = "DescribeInstanceTypes"
SPOT = "DescribeSpotPriceHistory"
BLOCKS = "DescribeCapacityBlockOfferings"
PLANS = "DescribeSavingsPlansOfferingRates"
ADVISOR = "spot advisor"
HOLDS = {
    PRODUCTS: "PriceList",
    TYPES: "InstanceTypes",
    SPOT: "SpotPriceHistory",
    BLOCKS: "CapacityBlockOfferings",
    PLANS: "searchResults",
}
"""Operation → the list in its answer."""


@dataclass(slots=True)
class Found:
    """All that a region answered, and what it refused."""

    region: str
    answers: list[tuple[str, Snapshot]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """What was asked, and why there is no answer."""
    heard: bool = False
    """Whether EC2 answered anything."""
    credential: bool = False
    """Whether EC2 refused the credential, rather than not answering."""

    def snapshot(self) -> Snapshot:
        first = self.answers[0][1]
        parts = b",\n".join(
            b'{"operation": %s, "address": %s, "answer": %s}'
            % (_json(operation), _json(part.address), part.body)
            for operation, part in self.answers
        )
        refused = [{"asked": asked, "reason": reason} for asked, reason in self.refused]
        body = b'{"region": %s,\n"answers": [%s],\n"refused": %s}' % (
            _json(self.region), parts, _json(refused),
        )  # fmt: skip
        return Snapshot(f"{first.address}&regionCode={self.region}", first.observed_at, body)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks one account's services."""

    api: Api
    pricing_region: str
    """Where the services without a region of their own are asked."""
    block_hours: tuple[int, ...]

    def region(self, name: str, now: object) -> Found:
        """Prices of one region. EC2 may refuse it or not answer (a region that was not opted in,
        a permission that lacks); that is noted, and the other prices still count.

        Raises:
            FetchError: the price list does not answer, or an answer has another shape.
        """
        found = Found(name)
        for page in self._pages("pricing", self.pricing_region, PRODUCTS, self._products(name)):
            found.answers.append((PRODUCTS, page))
        try:
            self._ec2(found, now)
        except (NoAnswerError, CredentialError) as failure:
            found.refused.append((f"EC2 in {name}", str(failure)))
        asked = self._plans(name)
        try:
            pages = list(self._pages("savingsplans", self.pricing_region, PLANS, asked))
            found.answers += [(PLANS, page) for page in pages]
        except (CredentialError, DeclinedError) as failure:
            found.refused.append((f"savings plans in {name}", str(failure)))
        return found

    def _ec2(self, found: Found, now: object) -> None:
        try:
            types = list(self._pages("ec2", found.region, TYPES, _TYPES_WANTED))
        except CredentialError:
            found.credential = True
            raise
        found.heard = True
        found.answers += [(TYPES, page) for page in types]
        listed = [row for page in types for row in json.loads(page.body)[HOLDS[TYPES]]]
        names = {
            row["InstanceType"]: row.get("SupportedUsageClasses", [])
            for row in listed
            if is_read(row.get("InstanceType", ""))
        }
        if not names:
            return
        asked = {
            "InstanceTypes": sorted(names),
            "ProductDescriptions": ["Linux/UNIX"],
            "StartTime": now,
            "MaxResults": 1000,
        }
        try:
            pages = list(self._pages("ec2", found.region, SPOT, asked))
            found.answers += [(SPOT, page) for page in pages]
        except CredentialError as failure:
            found.refused.append((f"spot prices in {found.region}", str(failure)))
        for name in sorted(name for name in names if "capacity-block" in names[name]):
            self._blocks(found, name)

    def _blocks(self, found: Found, name: str) -> None:
        for hours in self.block_hours:
            asked = {
                "InstanceType": name,
                "InstanceCount": 1,
                "CapacityDurationHours": hours,
                "MaxResults": 1000,
            }
            try:
                pages = list(self._pages("ec2", found.region, BLOCKS, asked))
                found.answers += [(BLOCKS, page) for page in pages]
            except DeclinedError as failure:
                what = f"capacity blocks of {hours} h of {name} in {found.region}"
                found.refused.append((what, str(failure)))

    def _pages(
        self, service: str, region: str, operation: str, arguments: Mapping[str, Any]
    ) -> Iterator[Snapshot]:
        """Every page. botocore has no paginator for savings plans, and its others do not notice a
        page that comes twice.

        Raises:
            FetchError: as `Api.ask`; and where the pages never end.
        """
        pages, token, field = Pages(), "", HOLDS[operation]
        name = "nextToken" if operation == PLANS else "NextToken"
        while True:
            more = {name: token} if token else {}
            page = self.api.ask(service, region, operation, field, {**arguments, **more})
            answer = json.loads(page.body)
            token = answer.get(name) or ""
            # The token is new on every page, also when the rows are not. EC2 may send pages
            # without rows before others: of those the tokens must differ.
            rows = _json(answer[field] or token)
            pages.new(Answer(Snapshot(page.address, page.observed_at, rows), {}))
            yield page
            if not token:
                return

    def _products(self, region: str) -> dict[str, Any]:
        wanted = {**FILTERS, "regionCode": region}
        return {
            "ServiceCode": "AmazonEC2",
            "FormatVersion": "aws_v1",
            "MaxResults": 100,
            "Filters": [
                {"Type": "TERM_MATCH", "Field": name, "Value": value}
                for name, value in wanted.items()
            ],
        }

    def _plans(self, region: str) -> dict[str, Any]:
        filters = {
            "region": [region],
            "instanceFamily": sorted(CARDS),
            "productDescription": ["Linux/UNIX"],
            "tenancy": ["shared"],
        }
        return {
            "savingsPlanTypes": ["Compute", "EC2Instance"],
            "savingsPlanPaymentOptions": ["No Upfront", "Partial Upfront", "All Upfront"],
            "products": ["EC2"],
            "serviceCodes": ["AmazonEC2"],
            "operations": ["RunInstances"],
            "filters": [{"name": name, "values": values} for name, values in filters.items()],
            "maxResults": 1000,
        }


_TYPES_WANTED = {
    "Filters": [
        {
            "Name": "instance-type",
            "Values": [f"{family}-*" if family == "p6" else f"{family}.*" for family in FAMILIES],
        }
    ],
    "MaxResults": 100,
}
