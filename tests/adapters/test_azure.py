"""Azure: terms paid whole, pages that stay at home, and what is asked for."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from loopback import Reply, recorded, serving
from sources import SOURCES
from test_contract import adapter_at, fetched, offers

from optimizer.costs import Costs
from optimizer.horizon import Horizon, Slice
from optimizer.schedule.document import MoneyAssumptions
from providers.adapters.azure import SIZES
from providers.fx import bundled_fx
from providers.hardware import accelerators
from providers.http import FetchError
from providers.live import Settings, same_host
from providers.offers import OfferBook
from providers.registry import load_adapter

FIRST = date(2027, 1, 1)


def by_sku():
    return {offer.sku: offer for offer in offers(fetched("azure"))}


@pytest.mark.parametrize(("tenor", "total"), [("P1Y", 20627), ("P3Y", 38500)])
def test_a_reservation_costs_its_quoted_total_on_the_day_it_starts(tenor, total):
    offer = by_sku()[f"azure/Standard_NC24ads_A100_v4/eastus/reserved/{tenor}"]
    horizon = Horizon(FIRST, 4 * 365, (Slice(tuple(range(24))),))
    costs = Costs(horizon, "USD", OfferBook(FIRST, bundled_fx()), MoneyAssumptions())
    bill = [flow for flow in costs.rental(offer, 2, 5) if flow.amount]
    assert [(flow.day, flow.amount) for flow in bill] == [(5, Decimal(2 * total))]


def test_a_savings_plan_is_an_hourly_rate_for_the_whole_term():
    offer = by_sku()["azure/Standard_NC24ads_A100_v4/eastus/savings_plan/P1Y"]
    assert (offer.price.amount, offer.upfront.amount) == (Decimal("2.7542"), 0)


def test_two_gpus_are_not_twice_one():
    found = by_sku()
    one = found["azure/Standard_NC24ads_A100_v4/eastus/on_demand"].price
    two = found["azure/Standard_NC48ads_A100_v4/eastus/on_demand"].price
    assert (one.amount, two.amount) == (Decimal("3.673"), Decimal("9.554"))


def test_every_size_names_a_card_of_the_table_or_one_known_to_be_missing():
    assert {size.gpu for size in SIZES.values()} - {None} <= set(accelerators())
    assert all(name.startswith("Standard_N") for name in SIZES)


def test_the_question_names_one_region_and_only_gpu_sizes():
    with serving(SOURCES["azure"].route) as server:
        adapter, _ = adapter_at("azure", server.base)
        list(adapter.fetch())
        first, second = server.requests
    assert "armRegionName eq 'eastus'" in first.query["$filter"]
    assert "contains(armSkuName, 'Standard_N')" in first.query["$filter"]
    assert second.query["$skip"] == "1000"


@pytest.mark.parametrize("end", [None, "", "missing"])
def test_pages_end_at_null_at_an_empty_link_and_at_none(end):
    page = json.loads(recorded("azure/prices.2.json")) | {"NextPageLink": end}
    if end == "missing":
        del page["NextPageLink"]
    with serving(lambda request, base: Reply(page)) as server:
        adapter, _ = adapter_at("azure", server.base)
        assert len(list(adapter.fetch())) == len(server.requests) == 1


@pytest.mark.parametrize("link", ["https://example.org/api?$skip=1000", "//x", 7, ["x"]])
def test_a_next_page_elsewhere_is_refused(link):
    page = json.loads(recorded("azure/prices.1.json")) | {"NextPageLink": link}
    with serving(lambda request, base: Reply(page)) as server:
        adapter, _ = adapter_at("azure", server.base)
        with pytest.raises(FetchError, match="another host"):
            list(adapter.fetch())
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("link", "same"),
    [
        ("https://prices.azure.com:443/api", True),
        ("https://prices.azure.com/api", True),
        ("https://prices.azure.com:8443/api", False),
        ("http://prices.azure.com/api", False),
        ("https://prices.azure.com@example.org/api", False),
        ("https://prices.azure.com:port/api", False),
    ],
)
def test_the_port_of_the_scheme_may_be_written_out(link, same):
    assert same_host(link, "https://prices.azure.com") is same


def test_a_region_without_any_size_is_told_when_a_person_named_it():
    empty = {"Items": [], "NextPageLink": None, "Count": 0}
    with serving(lambda request, base: Reply(empty)) as server:
        adapter, _ = adapter_at("azure", server.base)
        with pytest.raises(FetchError, match="no size in region 'eastus'"):
            list(adapter.fetch())


def test_a_region_cannot_change_the_question():
    adapter = load_adapter("azure")(Settings(regions=("x' or 'a' eq 'a",)))
    with pytest.raises(FetchError, match="no region such as eastus"):
        list(adapter.fetch())
