"""What only the Chinese clouds have: steps, packages, disks, projects, and signed calls."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from loopback import Reply, Request, recorded, serving
from sources_china import CHINA
from test_contract import SEEN, adapter_at

from optimizer.costs import Costs
from optimizer.horizon import Horizon, Slice
from optimizer.schedule.document import MoneyAssumptions
from providers.adapter import Snapshot
from providers.adapters.huawei import FLAVORS
from providers.fx import bundled_fx
from providers.http import CredentialError, FetchError, Http
from providers.live import Settings
from providers.offers import Offer, OfferBook, Rejected
from providers.registry import load_adapter
from providers.spot_history import cheapest_now


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


# -- Tencent --------------------------------------------------------------------------------


def documented(hours):
    """Cost of GN10Xp.2XLARGE40 for so many hours without a stop, from its three steps."""
    steps = ((96, Decimal("15.22")), (264, Decimal("12.18")), (10**9, Decimal("7.61")))
    total = Decimal(0)
    for length, price in steps:
        total += price * min(hours, length)
        hours -= min(hours, length)
    return total


@pytest.mark.parametrize("days", [15, 30, 90])
def test_tencent_run_through_is_billed_to_the_last_digit(days):
    with serving(CHINA["tencent"].route) as server:
        offers, _ = table(adapter_at("tencent", server.base)[0])
    offer = offers[f"tencent/GN10Xp.2XLARGE40/ap-guangzhou-6/on_demand/P{days}D"]
    horizon = Horizon(SEEN.date(), 365, (Slice(tuple(range(24))),))
    money = MoneyAssumptions(vat="ignore")
    costs = Costs(horizon, "CNY", OfferBook(SEEN.date(), bundled_fx()), money)
    assert sum(flow.amount for flow in costs.rental(offer, 1, 7)) == documented(24 * days)


def test_tencent_without_a_tenor_costs_the_first_step():
    with serving(CHINA["tencent"].route) as server:
        offers, _ = table(adapter_at("tencent", server.base)[0])
    first = offers["tencent/GN10Xp.2XLARGE40/ap-guangzhou-6/on_demand"]
    assert first.price.amount == Decimal("15.22")
    assert "12.18 up to 360 h, 7.61 beyond" in first.note
    flat = [sku for sku in offers if sku.startswith("tencent/GT4.41XLARGE948/")]
    assert flat == ["tencent/GT4.41XLARGE948/ap-guangzhou-7/on_demand"]


def test_tencent_three_years_are_one_sum():
    with serving(CHINA["tencent"].route) as server:
        offers, _ = table(adapter_at("tencent", server.base)[0])
    offer = offers["tencent/GN7.2XLARGE32/ap-guangzhou-6/prepaid/P3Y"]
    assert (offer.price.amount, offer.upfront.amount) == (0, Decimal("54720.0"))


def test_tencent_keeps_only_types_that_have_gpus_and_asks_for_their_families():
    with serving(CHINA["tencent"].route) as server:
        snapshots = list(adapter_at("tencent", server.base)[0].fetch())
    assert b"S5.MEDIUM4" not in snapshots[0].body
    filters = {item["Name"]: item["Values"] for item in server.requests[1].json["Filters"]}
    assert filters["instance-family"] == ["GN10Xp", "GN7", "GT4", "GX9", "PNV5b"]
    assert filters["instance-charge-type"] == ["POSTPAID_BY_HOUR", "SPOTPAID", "PREPAID"]
    assert {r.headers["x-tc-region"] for r in server.requests} == {"ap-guangzhou"}


def error_200(code):
    return Reply({"Response": {"Error": {"Code": code, "Message": f"{code} it is"}}})


def test_tencent_limits_in_a_200_are_waited_out():
    with serving(CHINA["tencent"].route) as server:
        server.faults = [error_200("RequestLimitExceeded")]
        adapter, slept = adapter_at("tencent", server.base)
        assert len(list(adapter.fetch())) == 1
    assert slept == [1.0]


@pytest.mark.parametrize("code", ["AuthFailure.SignatureFailure", "UnauthorizedOperation"])
def test_tencent_refused_keys_in_a_200_are_named_and_not_tried_again(code):
    with serving(CHINA["tencent"].route) as server:
        server.always = error_200(code)
        with pytest.raises(CredentialError, match="TENCENTCLOUD_SECRET_ID and"):
            list(adapter_at("tencent", server.base)[0].fetch())
        assert len(server.requests) == 1


def test_tencent_errors_in_a_200_are_quoted():
    with serving(CHINA["tencent"].route) as server:
        server.always = error_200("InternalError")
        with pytest.raises(FetchError, match="InternalError it is"):
            list(adapter_at("tencent", server.base)[0].fetch())


def test_tencent_international_site_quotes_dollars_without_vat():
    with serving(CHINA["tencent"].route) as server:
        adapter, _ = adapter_at("tencent", server.base)
        found = next(adapter.fetch())
    abroad = Snapshot("https://cvm.intl.tencentcloudapi.com/", found.observed_at, found.body)
    offers = [fate for fate in adapter.parse(abroad) if isinstance(fate, Offer)]
    assert {(o.price.currency, o.tax_included) for o in offers} == {("USD", False)}


# -- Huawei ---------------------------------------------------------------------------------


def test_huawei_pays_the_best_discount_and_names_the_list_price():
    with serving(CHINA["huawei"].route) as server:
        offers, _ = table(adapter_at("huawei", server.base)[0])
    month = offers["huawei/p2v.2xlarge.8/cn-north-4/prepaid/P1M"]
    assert month.price.amount == Decimal("4300.8")
    assert month.note == "list price 5376.0, less: 商务折扣"
    hour = offers["huawei/p2v.4xlarge.8/cn-north-4/on_demand"]
    assert (hour.price.amount, hour.note) == (Decimal("20.16"), "list price 22.4")


def test_huawei_rates_each_machine_for_the_project_of_its_region():
    with serving(CHINA["huawei"].route) as server:
        list(adapter_at("huawei", server.base)[0].fetch())
    rated = [request.json for request in server.requests if request.method == "POST"]
    assert {query["project_id"] for query in rated} == {"aa2d97d7e62c4b7da3ffdfc11551f878"}
    hours = [q["product_infos"][0] for q in rated if "inquiry_precision" in q]
    assert len(hours) == len(FLAVORS)
    assert hours[0]["resource_spec"] == "p3.2xlarge.8.linux"
    assert (hours[0]["usage_factor"], hours[0]["usage_measure_id"]) == ("Duration", 4)
    unsold = [q["product_infos"][0] for q in rated if "p3.4xlarge" in str(q)]
    assert len(unsold) == 1  # neither month nor year of what is not sold by the hour


def test_huawei_project_can_be_named_instead_of_asked_for():
    with serving(CHINA["huawei"].route) as server:
        settings = CHINA["huawei"].environment() | {"HUAWEICLOUD_SDK_PROJECT_ID": "mine"}
        adapter, _ = adapter_at("huawei", server.base, environment=settings)
        next(adapter.fetch())
    assert all(request.path != "/v3/projects" for request in server.requests)
    assert {request.json["project_id"] for request in server.requests} == {"mine"}


@pytest.mark.parametrize(
    ("base", "iam"),
    [
        ("https://bss.myhuaweicloud.com", "https://iam.myhuaweicloud.com"),
        ("https://bss-intl.myhuaweicloud.com/", "https://iam.myhuaweicloud.com"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_huawei_projects_are_asked_for_where_the_account_is(base, iam):
    adapter = with_options("huawei", base)
    assert adapter._iam() == iam


def test_huawei_a_wrong_question_is_no_price_list():
    """Only "not sold" is a row's fate; a refused parameter means that nothing was rated."""
    with serving(CHINA["huawei"].route) as server:
        adapter, _ = adapter_at("huawei", server.base)
        server.faults = [
            CHINA["huawei"].route(Request("GET", "/v3/projects", {}, b""), ""),
            Reply({"error_code": "CBC.0100", "error_msg": "Parameter error."}, 400),
        ]
        with pytest.raises(FetchError, match=r"CBC\.0100"):
            list(adapter.fetch())


@pytest.mark.parametrize(("code", "status"), [("APIGW.0301", 401), ("CBC.0151", 403)])
def test_huawei_refused_keys_are_named(code, status):
    with serving(CHINA["huawei"].route) as server:
        server.always = Reply({"error_code": code, "error_msg": "no"}, status)
        with pytest.raises(CredentialError, match="HUAWEICLOUD_SDK_AK"):
            list(adapter_at("huawei", server.base)[0].fetch())


def test_huawei_flavors_have_eight_vcpus_a_gpu():
    assert FLAVORS["p2v.16xlarge.8"] == ("V100", 16, "SXM2", 8, 64, 512)
    assert FLAVORS["pi2.4xlarge.4"] == ("T4", 16, "PCIe", 2, 16, 64)


# -- Volcengine -----------------------------------------------------------------------------


def test_volcengine_asks_the_billing_api_by_code_and_for_months():
    with serving(CHINA["volcengine"].route) as server:
        offers, _ = table(adapter_at("volcengine", server.base)[0])
    asked = [r for r in server.requests if r.query["Action"].startswith("QueryPrice")]
    mine = [r for r in asked if "gni3cl" in str(r.json)]
    items = [(r.query["Action"], *r.json["ConfigList"][0].values()) for r in mine]
    code = "ecs.gni3cl.5xlarge.linux"
    assert items == [
        ("QueryPriceForPayAsYouGo", code, "vm_hour", "1", 1, 1),
        ("QueryPriceForSubscription", code, "vm_month", "1", 1, 1),
        ("QueryPriceForSubscription", code, "vm_month", "1", 1, 12),
    ]
    assert all("/cn-beijing/billing/request" in r.headers["authorization"] for r in asked)
    year = offers["volcengine/ecs.gni3cl.5xlarge/cn-beijing/prepaid/P1Y"]
    assert (year.price.amount, year.note) == (Decimal("70560.00"), "list price 100800.00")


def test_volcengine_codes_can_be_set():
    with serving(CHINA["volcengine"].route) as server:
        codes = {"configuration_code": "x-{type}", "hour_item": "h", "month_item": "m"}
        _, rejected = table(with_options("volcengine", server.base, **codes))
    asked = [r.json["ConfigList"][0] for r in server.requests if r.method == "POST"]
    assert {item["ChargeItemCode"] for item in asked} == {"h", "m"}
    assert all(item["ConfigurationCode"].startswith("x-ecs.") for item in asked)
    said = rejected["volcengine/ecs.gni3cl.5xlarge/cn-beijing/on_demand"]
    assert "The configuration code does not exist" in said


def test_volcengine_keeps_only_types_that_have_gpus():
    with serving(CHINA["volcengine"].route) as server:
        snapshots = list(adapter_at("volcengine", server.base)[0].fetch())
    assert b"g3i.large" not in snapshots[0].body
    assert b"g2a.large" not in snapshots[0].body


def test_volcengine_limits_and_refused_keys_are_told_by_their_codes():
    def error(code):
        return Reply({"ResponseMetadata": {"Error": {"Code": code, "Message": "no"}}}, 400)

    with serving(CHINA["volcengine"].route) as server:
        server.faults = [error("FlowLimitExceeded")]
        adapter, slept = adapter_at("volcengine", server.base)
        list(adapter.fetch())
        assert slept == [1.0]
        server.faults = [error("InvalidAccessKey")]
        with pytest.raises(CredentialError, match="VOLCENGINE_ACCESS_KEY"):
            list(adapter.fetch())


@pytest.mark.parametrize("name", ["alibaba", "volcengine"])
def test_a_token_that_comes_back_ends_the_listing_though_the_bytes_differ(name):
    def again(request, base):
        page = json.loads(recorded(CHINA[name].repeats))
        return Reply(json.dumps(page | {"RequestId": str(len(server.requests))}).encode())

    with serving(again) as server:
        adapter, _ = adapter_at(name, server.base)
        with pytest.raises(FetchError, match="second time"):
            list(adapter.fetch())


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], None),
        ([("a", "2", 5), ("a", "1", 1)], (5, "in zone a")),
        ([("a", "1", 5), ("b", "1", 4)], (4, "in zone b; 5 in a")),
        ([("a", "1", 0), ("b", "1", 4)], (4, "in zone b; no price in a")),
        ([("a", "1", 0)], (0, "in zone a")),
    ],
)
def test_spot_the_newest_price_of_the_cheapest_zone(points, expected):
    assert cheapest_now((z, t, Decimal(p)) for z, t, p in points) == expected
