"""Verda (formerly DataCrunch): on-demand, spot, and long terms at a discount on on-demand.

Types, availability and terms are three answers that mean something only together, so a snapshot
holds all of them. `gpu_memory` is that of the whole instance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError, read_json
from providers.live import Fields, LiveAdapter, Machine, RowError, bundle, places
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tenor

VARIABLES = ("VERDA_CLIENT_ID", "VERDA_CLIENT_SECRET")
_UNITS = {"month": (1, 0), "year": (12, 0), "day": (0, 1), "week": (0, 7)}


class Verda(LiveAdapter):
    name = "verda"
    home = "https://api.verda.com/v1"
    variables = ("VERDA_CLIENT_ID", "VERDA_CLIENT_SECRET")

    def fetch(self) -> Iterator[Snapshot]:
        client = self.key("VERDA_CLIENT_ID", "DATACRUNCH_CLIENT_ID")
        secret = self.key("VERDA_CLIENT_SECRET", "DATACRUNCH_CLIENT_SECRET")
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        http = self.settings.http
        granted = http.post(
            f"{self.base}/oauth2/token", form, secrets=[client, secret], variables=VARIABLES
        )
        token = read_json(granted.snapshot)
        token = token.get("access_token") if isinstance(token, dict) else None
        if not isinstance(token, str) or not token:
            raise FetchError(f"{granted.snapshot.address}: no access_token in it")

        def page(path: str, **params: str) -> Snapshot:
            return http.get(
                f"{self.base}/{path}",
                params=params,
                headers={"Authorization": f"Bearer {token}"},
                secrets=[client, secret, token],
                variables=VARIABLES,
            ).snapshot

        whole = bundle(
            {
                "types": page("instance-types", currency="usd"),
                "on_demand": page("instance-availability", isSpot="false"),
                "spot": page("instance-availability", isSpot="true"),
                "periods": page("long-term/periods/instances"),
            }
        )
        self.rows(whole)
        yield whole

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        types = self.listed(snapshot, "types")
        periods = self.listed(snapshot, "periods")
        try:
            sold = _regions(self.listed(snapshot, "on_demand"))
            spot = _regions(self.listed(snapshot, "spot"))
        except RowError as fault:
            raise FetchError(f"{snapshot.address}: availability: {fault}") from None
        shared = {"_on_demand": sold, "_spot": spot, "_periods": periods}
        found: list[tuple[str, object]] = []
        for row in types:
            name = row.get("instance_type") if isinstance(row, dict) else None
            found.append((str(name), row | shared if isinstance(row, dict) else row))
        odd = [period for period in periods if _term(period) is None]
        return found + [(f"term {_code(period)}", period) for period in odd]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if name.startswith("term "):
            _period(row)  # says why it is none
            return
        kind, gpus = row.text("instance_type"), row.inner("gpu").count("number_of_gpus")
        memory = row.inner("gpu_memory").number("size_in_gigabytes")
        said = row.text("name")
        # 1H100.80S.30V: S is the SXM card, and only newer types say it.
        form = "SXM" if re.search(r"\d+S\.", kind) else ""

        def machines(sold: dict[str, list[str]]) -> Iterator[Machine]:
            for region in places(sold.get(kind, [])):
                yield Machine(
                    provider=self.name,
                    instance_type=kind,
                    region=region,
                    gpu=gpu_id(said, memory / max(gpus, 1), form),
                    gpu_name=said,
                    gpu_count=gpus,
                    snapshot=snapshot,
                    vcpu=row.inner("cpu").maybe("number_of_cores"),
                    ram_gb=row.inner("memory").maybe("size_in_gigabytes"),
                    currency=row.text("currency").upper(),
                    note="" if kind in sold else "no capacity anywhere when read",
                )

        price, spot = row.maybe("price_per_hour"), row.maybe("spot_price")
        for machine in machines(row.get("_on_demand")):
            yield machine.offer(PurchaseModel.ON_DEMAND, price)
            if gpus == 0 or price is None:
                continue
            for period in row.rows("_periods"):
                term = _term(period)
                if term is not None:
                    tenor, share = term
                    yield machine.offer(PurchaseModel.RESERVED, price * share, tenor=tenor)
        if gpus and spot is not None:
            for machine in machines(row.get("_spot")):
                yield machine.offer(PurchaseModel.SPOT, spot)


def _regions(rows: list[Any]) -> dict[str, list[str]]:
    """Instance type → locations that have it now."""
    found: dict[str, list[str]] = {}
    for row in rows:
        place = Fields(row).text("location_code")
        for kind in Fields(row).names("availabilities"):
            found.setdefault(kind, []).append(place)
    return found


def _code(period: object) -> str:
    return str(period.get("code")) if isinstance(period, dict) else "?"


def _period(row: Fields) -> tuple[Tenor, Decimal]:
    if row.get("is_enabled") is not True:
        raise RowError("not enabled")
    unit = row.text("unit_name").lower().removesuffix("s")
    if unit not in _UNITS:
        raise RowError(f"a term in units of '{unit}'")
    months, days = (factor * row.count("unit_value") for factor in _UNITS[unit])
    discount = row.number("discount_percentage")
    if not 0 <= discount < 100 or not (months or days):
        raise RowError(f"{discount} % off for {row.get('unit_value')} {unit}")
    return Tenor(months, days), 1 - discount / 100


def _term(period: object) -> tuple[Tenor, Decimal] | None:
    try:
        return _period(Fields(period))
    except RowError:
        return None
