"""What only the Chinese clouds have: steps, packages, disks, projects, and signed calls."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from loopback import Reply, serving
from sources_china import CHINA
from test_contract import SEEN, adapter_at

from providers.http import Http
from providers.live import Settings
from providers.offers import Offer, Rejected
from providers.registry import load_adapter


def table(adapter):
    fates = [fate for snapshot in adapter.fetch() for fate in adapter.parse(snapshot)]
    offers = {fate.sku: fate for fate in fates if isinstance(fate, Offer)}
    return offers, {fate.row: fate.reason for fate in fates if isinstance(fate, Rejected)}


def changed(name, change):
    """A server of the recordings whose answers are changed by `change(request, document)`."""

    def route(request, base):
        reply = CHINA[name].route(request, base)
        if reply is None or reply.status != 200:
            return reply
        document = json.loads(reply.body)
        return Reply(json.dumps(change(request, document) or document).encode())

    return serving(route)


def with_options(name, base, **options):
    source = CHINA[name]
    return load_adapter(name)(
        Settings(base, source.regions, source.environment(), Http(now=lambda: SEEN), options)
    )


@pytest.mark.parametrize("name", sorted(CHINA))
def test_the_secret_key_is_never_sent_and_the_signature_never_kept(name):
    secret = CHINA[name].environment()[CHINA[name].variables[1]]
    with serving(CHINA[name].route) as server:
        adapter, _ = adapter_at(name, server.base)
        snapshots = list(adapter.fetch())
    sent = repr([(r.headers, r.query, r.body, r.path) for r in server.requests])
    assert secret not in sent
    assert "Signature" in sent
    assert not any("Signature" in snapshot.address for snapshot in snapshots)
    assert not any(b"Signature=" in snapshot.body for snapshot in snapshots)


# -- Alibaba --------------------------------------------------------------------------------


def test_alibaba_prices_are_totals_of_the_machine_without_its_disk():
    with serving(CHINA["alibaba"].route) as server:
        offers, _ = table(adapter_at("alibaba", server.base)[0])
    month = offers["aliyun/ecs.gn7e-c16g1.4xlarge/cn-hangzhou/prepaid/P1M"]
    assert month.price.amount == Decimal("15299.96")  # 15300.00 with the disk
    assert month.prepaid
    assert month.tax_included is True
    year = offers["aliyun/ecs.gn7i-c8g1.2xlarge/cn-hangzhou/prepaid/P1Y"]
    assert (year.price.amount, year.increment.value) == (Decimal("32782.7"), "year")


def test_alibaba_throttling_in_a_400_is_waited_out():
    with serving(CHINA["alibaba"].route) as server:
        server.faults = [Reply({"Code": "Throttling.User", "Message": "flow control"}, 400)] * 2
        adapter, slept = adapter_at("alibaba", server.base)
        assert len(list(adapter.fetch())) == 1
    assert slept == [1.0, 2.0]


def test_alibaba_tries_another_disk_where_a_machine_does_not_take_the_first():
    with serving(CHINA["alibaba"].route) as server:
        list(adapter_at("alibaba", server.base)[0].fetch())
    asked = [r.query for r in server.requests if r.query.get("PriceUnit") == "Year"]
    tried = [
        query["SystemDisk.Category"]
        for query in asked
        if query["InstanceType"] == "ecs.gn6i-c4g1.xlarge"
    ]
    assert tried == ["cloud_essd", "cloud_efficiency", "cloud_auto"]


def test_alibaba_spot_prices_are_read_to_the_last_page_and_the_newest_counts():
    with serving(CHINA["alibaba"].route) as server:
        offers, _ = table(adapter_at("alibaba", server.base)[0])
    kind = "ecs.gn7e-c16g1.4xlarge"
    asked = [r.query for r in server.requests if r.query["Action"] == "DescribeSpotPriceHistory"]
    mine = [query for query in asked if query["InstanceType"] == kind]
    assert [query.get("Offset") for query in mine] == [None, "2", "3"]
    assert {query["StartTime"] for query in mine} == {"2026-11-19T03:17:00Z"}
    assert offers[f"aliyun/{kind}/cn-hangzhou/spot"].price.amount == Decimal("7.02")


def test_alibaba_sells_no_weeks_in_dollars_and_no_vat():
    def in_dollars(request, document):
        text = json.dumps(document).replace('"CNY"', '"USD"')
        return json.loads(text)

    with changed("alibaba", in_dollars) as server:
        offers, _ = table(adapter_at("alibaba", server.base)[0])
    assert offers
    assert not any(sku.endswith("P7D") for sku in offers)
    assert {(o.price.currency, o.tax_included) for o in offers.values()} == {("USD", False)}
    assert not any(r.query.get("PriceUnit") == "Week" for r in server.requests)


def test_alibaba_families_can_be_chosen():
    with serving(CHINA["alibaba"].route) as server:
        offers, rejected = table(with_options("alibaba", server.base, families="ecs.gn7i"))
    assert {offer.gpu for offer in offers.values()} == {"A10"}
    assert rejected == {}
