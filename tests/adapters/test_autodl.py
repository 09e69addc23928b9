"""AutoDL: turned off by itself, an order book out of machines, pages that must be complete."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from loopback import Reply, recorded, serving
from sources import SOURCES
from test_contract import SEEN

from providers.adapter import Snapshot
from providers.adapters.autodl import AutoDl
from providers.http import CredentialError, FetchError, Http, MissingCredentialError, TurnedOffError
from providers.live import Settings
from providers.offers import Offer, Rejected

SOURCE = SOURCES["autodl"]
ON = {"accept_terms": "yes"}


def adapter(base="http://127.0.0.1:1", options=ON, environment=None, regions=()):
    secrets = SOURCE.environment() if environment is None else environment
    return AutoDl(Settings(base, regions, secrets, Http(now=lambda: SEEN), options))


def host(name, free, price, **more):
    terms = {"type": "payg", "origin_price": 0, "current_price": price, "level_config": []}
    return {
        "machine_id": name,
        "region_sign": "west-B",
        "gpu_name": "RTX 4090",
        "gpu_number": 8,
        "gpu_memory": 24 * 2**30,
        "gpu_idle_num": free,
        "gpu_order_num": free,
        "cpu_per_gpu": 16,
        "mem_per_gpu": 120 * 2**30,
        "machine_sku_info": [terms],
        **more,
    }


def book(*hosts, options=ON):
    body = json.dumps({"type": "payg", "machines": hosts}).encode()
    fates = list(adapter(options=options).parse(Snapshot("https://example.org", SEEN, body)))
    offers = {fate.instance_type: fate for fate in fates if isinstance(fate, Offer)}
    return offers, [fate.reason for fate in fates if isinstance(fate, Rejected)]


@pytest.mark.parametrize("options", [{}, {"accept_terms": "no"}, {"accept_terms": "true"}])
def test_nothing_is_asked_before_the_terms_are_accepted_and_the_message_says_how(options):
    with serving(SOURCE.route) as server:
        with pytest.raises(TurnedOffError) as told:
            list(adapter(server.base, options).fetch())
        assert server.requests == []
    for words in ("terms of use", 'accept_terms = "yes"', "[providers.autodl.options]"):
        assert words in str(told.value)


def test_without_a_token_nothing_is_asked_either():
    with pytest.raises(MissingCredentialError, match="AUTODL_TOKEN"):
        list(adapter(environment={}).fetch())


def test_the_token_stands_alone_in_its_header():
    with serving(SOURCE.route) as server:
        list(adapter(server.base).fetch())
    token = SOURCE.environment()["AUTODL_TOKEN"]
    assert {request.headers["authorization"] for request in server.requests} == {token}


def test_each_kind_of_terms_is_asked_for_with_its_pages_and_regions():
    with serving(SOURCE.route) as server:
        list(adapter(server.base, regions=("west-B",)).fetch())
        asked = [request.json for request in server.requests]
    kinds = [(one["charge_type"], one["page_index"]) for one in asked]
    assert kinds == [
        ("payg", 1), ("payg", 2), ("daily", 1), ("weekly", 1), ("monthly", 1), ("yearly", 1),
    ]  # fmt: skip
    assert {one["page_size"] for one in asked} == {100}
    assert all(one["region_sign_list"] == ["west-B"] for one in asked)


def test_fewer_kinds_can_be_asked_for_but_only_known_ones():
    with serving(SOURCE.route) as server:
        found = list(adapter(server.base, ON | {"charge_types": "monthly, daily"}).fetch())
        assert [json.loads(snapshot.body)["type"] for snapshot in found] == ["monthly", "daily"]
    with pytest.raises(FetchError, match="'hourly' is no charge type; known: payg, daily"):
        list(adapter(options=ON | {"charge_types": "hourly"}).fetch())


@pytest.mark.parametrize("free", range(18))
def test_free_gpus_of_a_host_are_offered_exactly_once(free):
    offers, _ = book(host("a", free, 2000, gpu_number=20))
    assert sum(offer.max_units for offer in offers.values()) == free
    assert all(offer.max_units == offer.max_gpus_per_host for offer in offers.values())
    for nodes_of in (1, 2, 4, 8, 16):
        can = sum(
            o.max_units // nodes_of for o in offers.values() if o.max_gpus_per_host >= nodes_of
        )
        assert can == free // nodes_of


def test_many_hosts_become_one_offer_a_block_size_and_price():
    offers, rejected = book(
        *(host(f"a{n}", 8, 2080) for n in range(30)),
        *(host(f"b{n}", 1, 2080) for n in range(20)),
        *(host(f"c{n}", 0, 1500) for n in range(10)),
    )
    assert rejected == []
    assert {name: (o.max_units, o.max_gpus_per_host) for name, o in offers.items()} == {
        "RTX 4090 24G x8": (240, 8),
        "RTX 4090 24G x1": (20, 1),
    }
    assert offers["RTX 4090 24G x8"].note == "free on 30 machines when read"


def test_the_cheapest_block_keeps_its_sku_whatever_the_price_is():
    before, _ = book(host("a", 8, 2080), host("b", 8, 2310))
    after, _ = book(host("a", 0, 2080), host("b", 8, 2310))
    plain, dearer = before["RTX 4090 24G x8"], before["RTX 4090 24G x8 level 2"]
    assert (plain.price.amount, dearer.price.amount) == (Decimal("2.08"), Decimal("2.31"))
    assert plain.sku == after["RTX 4090 24G x8"].sku == "autodl/RTX-4090-24G-x8/west-B/on_demand"
    assert after["RTX 4090 24G x8"].price == dearer.price


def test_the_weakest_host_of_an_offer_tells_its_cores_and_memory():
    offers, _ = book(host("a", 8, 2080), host("b", 8, 2080, cpu_per_gpu=12, mem_per_gpu=60 * 2**30))
    assert (offers["RTX 4090 24G x8"].vcpu, offers["RTX 4090 24G x8"].ram_gb) == (12, 60)


def test_a_product_that_is_all_rented_is_one_refusal_with_its_least_price():
    offers, rejected = book(host("a", 0, 2080), host("b", 0, 1980))
    assert offers == {}
    assert rejected == ["no GPU is free on 2 machines (from 1.98 CNY)"]


def test_a_host_that_takes_no_orders_has_nothing_free():
    assert book(host("a", 3, 2080, gpu_order_num=0))[0] == {}


def test_members_pay_the_least_price_of_any_level():
    levels = [{"discounted_price": 2080}, {"discounted_price": 1976}]
    terms = {"type": "payg", "current_price": 2080, "level_config": levels}
    one = host("a", 1, 2080, machine_sku_info=[terms])
    price = book(one, options=ON | {"member": "yes"})[0]["RTX 4090 24G x1"].price.amount
    assert price == Decimal("1.976")
    assert book(one)[0]["RTX 4090 24G x1"].price.amount == Decimal("2.08")
    terms["level_config"] = [{}]
    assert book(one, options=ON | {"member": "yes"})[1] == ["no level_config.discounted_price"]


def test_a_month_is_paid_whole_and_starts_a_month():
    with serving(SOURCE.route) as server:
        source = adapter(server.base, ON | {"charge_types": "monthly"})
        fates = [fate for snapshot in source.fetch() for fate in source.parse(snapshot)]
    month = next(f for f in fates if f.sku == "autodl/RTX-4090-24G-x8/west-B/prepaid/P1M")
    assert month.prepaid
    assert (month.price.amount, month.upfront.amount) == (1107, 0)


def test_a_stale_login_is_told_with_the_variable():
    said = {"code": "AuthorizeFailed", "msg": "认证失败; 登录超时", "data": None}
    with serving(lambda request, base: Reply(said)) as server:
        with pytest.raises(CredentialError, match="AUTODL_TOKEN"):
            list(adapter(server.base).fetch())
        assert len(server.requests) == 1


def test_an_error_in_a_good_answer_is_quoted():
    said = {"code": "ParamError", "msg": "page_size", "data": {"list": []}}
    with (
        serving(lambda request, base: Reply(said)) as server,
        pytest.raises(FetchError, match=r"ParamError.*page_size"),
    ):
        list(adapter(server.base).fetch())


def test_pages_that_repeat_under_other_request_ids_are_noticed():
    def route(request, base):
        page = json.loads(recorded("autodl/payg.1.json"))
        return Reply(page | {"request_id": str(request.json["page_index"])})

    with (
        serving(route) as server,
        pytest.raises(
            FetchError, match="9 different machines on 2 pages, of 15; pages are missing"
        ),
    ):
        list(adapter(server.base).fetch())


def test_what_is_kept_of_a_machine_is_what_is_read():
    with serving(SOURCE.route) as server:
        first = next(adapter(server.base).fetch())
    kept = json.loads(first.body)["machines"][0]
    assert "driver_version" not in kept
    assert [terms["type"] for terms in kept["machine_sku_info"]] == ["payg"]
