"""Omniyq (云擎天下): whole machines by the month, from lines of text such as ``8*H800 - 90000/月``.

Asking prices in yuan per machine and month. How long a lease must be, how many machines there are
and whether tax is in the price is not said. A name that is sold in two sizes (H100, 4090) is
rejected unless the line says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier
from providers.web_page import HEADERS, page_text

PATH = "/h-col-104.html"
REGION = "cn"
MONTH = Tenor(months=1)
_PER_MONTH = re.compile(r"/ ?月")
_LINE = re.compile(r"(\d{1,3}) ?[*×xX] ?([^*×]{2,30}?) ?[-–—] ?(\d{1,3}(?:,\d{3})+|\d+)$")
_BEFORE = 60
"""Characters before "/月" in which its line must begin."""


class Omniyq(LiveAdapter):
    name = "omniyq"
    home = "https://www.omniyq.com"

    def fetch(self) -> Iterator[Snapshot]:
        page = self.settings.http.get(f"{self.base}{PATH}", headers=HEADERS).snapshot
        self.rows(page)
        yield page

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        before = [part[-_BEFORE:].strip() for part in _PER_MONTH.split(page_text(snapshot))[:-1]]
        if not before:
            raise FetchError(f"{snapshot.address}: no price page: nothing in it is per month")
        found: list[tuple[str, object]] = []
        for text in before:
            line = _LINE.search(text)
            parts = line.groups() if line else (None, None, None)
            row = dict(zip(("gpus", "gpu", "price"), parts, strict=True)) | {"text": text}
            found.append((f"'{line[0] if line else text[-30:]}/月'", row))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if row.get("gpu") is None:
            raise RowError("not written as cards * GPU - price/月")
        gpus, gpu_name = row.count("gpus"), row.text("gpu")
        machine = Machine(
            provider=self.name,
            instance_type=f"{gpus}x {gpu_name}",
            region=REGION,
            gpu=gpu_id(gpu_name),
            gpu_name=gpu_name,
            gpu_count=gpus,
            snapshot=snapshot,
            tier=Tier.WHOLESALE,
            currency="CNY",
            increment=Increment.MONTH,
            tax_included=None,
            note="asking price; the least lease is not said",
        )
        price = row.text("price").replace(",", "")
        yield machine.offer(
            PurchaseModel.PREPAID, Fields({"price": price}).number("price"), tenor=MONTH
        )
