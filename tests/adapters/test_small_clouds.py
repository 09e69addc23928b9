"""Mithril, Seeweb, Hot Aisle and Cudo: what only they have."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from loopback import Reply, recorded, serving
from sources import SECRET, SOURCES
from test_contract import adapter_at, fates, fetched, offers

from providers.http import FetchError, MissingCredentialError
from providers.live import Settings
from providers.money import Money
from providers.offers import Rejected


def prices(read):
    return {offer.sku: offer.price.amount for offer in offers(read)}


# -- Mithril -------------------------------------------------------------------------------------


def test_the_floor_of_bids_is_never_a_price():
    """`minimum_price_cents` of an A100 is a cent; its reserved price is what it costs."""
    found = prices(fetched("mithril"))
    assert found["mithril/a100-80gb.pcie.1x/eu-central1-a/on_demand"] == Decimal("2.05")
    assert found["mithril/h100-80gb.sxm.8x/us-central1-b/on_demand"] == Decimal("28.66")
    assert min(found.values()) > Decimal("0.5")


def test_a_type_without_a_reserved_price_has_none_whatever_else_it_is_quoted_at():
    said = {fate.row: fate.reason for fate in fates(fetched("mithril")) if type(fate) is Rejected}
    assert said["mithril/b200-180gb.sxm.8x/us-central3-a/on_demand"] == "no price"


def test_only_types_with_an_id_are_asked_for_their_price_each_once():
    with serving(SOURCES["mithril"].route) as server:
        adapter, _ = adapter_at("mithril", server.base)
        list(adapter.fetch())
    asked = [r.query["instance_type"] for r in server.requests if "instance_type" in r.query]
    assert len(asked) == len(set(asked)) == 5
    assert all(fid.startswith("it_") for fid in asked)


# -- Seeweb --------------------------------------------------------------------------------------


def test_seeweb_is_in_euro_and_a_machine_costs_its_price_whatever_its_gpus():
    found = {offer.sku: offer for offer in offers(fetched("seeweb"))}
    two = found["seeweb/ECS2GPU3/it-fr2/on_demand"]
    assert (two.price, two.gpu_count) == (Money(Decimal("3.96"), "EUR"), 2)


# -- Hot Aisle -----------------------------------------------------------------------------------


def hotaisle(server, team="", environment=None):
    adapter, _ = adapter_at("hotaisle", server.base, environment=environment)
    settings = adapter.settings
    options = {"team": team} if team else {}
    how = {"environment": settings.environment, "http": settings.http, "options": options}
    return type(adapter)(Settings(base_url=server.base, **how))


def test_the_team_may_come_from_the_environment():
    with serving(SOURCES["hotaisle"].route) as server:
        environment = {"HOTAISLE_API_KEY": SECRET, "HOTAISLE_TEAM": "acme"}
        assert list(hotaisle(server, environment=environment).fetch())
        assert server.requests[0].path == "/teams/acme/virtual_machines/available/"
        assert server.requests[0].headers["authorization"] == f"Token {SECRET}"


def test_a_missing_team_is_named_before_anything_is_asked():
    with serving(SOURCES["hotaisle"].route) as server:
        with pytest.raises(MissingCredentialError, match="HOTAISLE_TEAM"):
            list(hotaisle(server).fetch())
        assert server.requests == []


@pytest.mark.parametrize("team", ["../admin", "a b", "acme/x?y"])
def test_a_team_cannot_change_the_address(team):
    with serving(SOURCES["hotaisle"].route) as server:
        with pytest.raises(FetchError, match="no team handle"):
            list(hotaisle(server, team).fetch())
        assert server.requests == []


def test_where_one_kind_is_sold_out_the_other_is_listed():
    def route(request, base):
        return Reply(b"null" if "bare_metal" in request.path else
                     recorded("hotaisle/virtual_machines.json"))  # fmt: skip

    with serving(route) as server:
        adapter = hotaisle(server, "acme")
        (snapshot,) = adapter.fetch()
    assert {offer.gpu_count for offer in offers((adapter, [snapshot]))} == {1, 2}


# -- Cudo ----------------------------------------------------------------------------------------


def test_a_machine_is_the_sum_of_its_parts():
    found = prices(fetched("cudo"))
    a6000 = Decimal("0.45") + 8 * Decimal("0.0022") + 32 * Decimal("0.0033")
    disk = 50 * Decimal("0.00013")
    assert found["cudo/epyc-milan-rtx-a6000/se-smedjebacken-1/on_demand"] == a6000 + disk


def test_the_limits_of_a_type_bound_what_is_put_together():
    """At most 4 vCPUs a GPU, and at least 5 GiB to each."""
    (offer,) = (o for o in offers(fetched("cudo")) if o.gpu == "L40S")
    assert (offer.vcpu, offer.ram_gb) == (4, 20)
    assert (offer.max_units, offer.max_gpus_per_host) == (24, 8)


@pytest.mark.parametrize("part", ["vcpuPriceHr", "memoryGibPriceHr", "minStorageGibPriceHr"])
def test_a_part_without_a_price_is_no_machine(part):
    types = json.loads(recorded("cudo/machine_types.json"))
    del types["machineTypes"][0][part]
    with serving(lambda request, base: Reply(types)) as server:
        adapter, _ = adapter_at("cudo", server.base)
        found = [fate for snapshot in adapter.fetch() for fate in adapter.parse(snapshot)]
    assert isinstance(found[0], Rejected)
    assert part in found[0].reason
