"""Google Cloud: a machine is the exact sum of its parts, or has no price."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from loopback import Reply, recorded, serving
from sources import SECRET, SOURCES
from test_contract import adapter_at, fates, fetched, offers

from providers.adapters.gcp import GPUS
from providers.hardware import accelerators
from providers.http import CredentialError, FetchError
from providers.offers import Rejected


@pytest.fixture(scope="module")
def read():
    return fetched("gcp")


def price(read, sku):
    return next(offer.price.amount for offer in offers(read) if offer.sku == sku)


@pytest.mark.parametrize(
    ("sku", "parts"),
    [
        ("a2-highgpu-1g/us-central1/on_demand", "2.933908 + 12*0.031611 + 85*0.004237"),
        ("a2-highgpu-1g/us-central1/spot", "0.88 + 12*0.00948 + 85*0.00127"),
        ("a2-highgpu-1g/us-central1/committed_use/P1Y", "1.848 + 12*0.019915 + 85*0.002669"),
        ("a2-megagpu-16g/us-central1/on_demand", "16*2.933908 + 96*0.031611 + 1360*0.004237"),
        ("g2-standard-4/europe-west1/on_demand", "0.56004 + 4*0.024988 + 16*0.002927"),
        ("a4-highgpu-8g/us-central1/spot", "8*3.35"),
    ],
)
def test_a_machine_costs_the_sum_of_its_parts(read, sku, parts):
    products = ([Decimal(f) for f in part.split("*")] for part in parts.split(" + "))
    total = sum(factors[0] * (factors[1] if factors[1:] else 1) for factors in products)
    assert price(read, f"gcp/{sku}") == total


def test_the_check_figure_of_the_public_list_comes_out(read):
    assert str(price(read, "gcp/a2-highgpu-1g/us-central1/on_demand")) == "3.673385"


def test_local_disks_are_priced_by_the_month_of_730_hours(read):
    cores = 8 * Decimal("9.796552") + 208 * Decimal("0.029917") + 1872 * Decimal("0.002592")
    disks = 6000 * Decimal("0.08") / 730
    assert price(read, "gcp/a3-highgpu-8g/us-central1/on_demand") == round(cores + disks, 9)


def test_a_part_without_a_price_is_no_price_for_the_machine(read):
    said = {fate.row: fate.reason for fate in fates(read) if isinstance(fate, Rejected)}
    assert "A2 ram has no price" in said["gcp/a2-highgpu-8g/us-central1/committed_use/P3Y"]
    assert "G2 core has no price" in said["gcp/g2-standard-4/europe-west4/on_demand"]
    assert "two prices, 0.003 and 0.0035" in said["gcp/g4-standard-48/us-central1/on_demand"]


def test_a_spot_sku_filed_under_on_demand_is_spot(read):
    assert [offer.sku for offer in offers(read) if offer.gpu == "B200-180GB"] == [
        "gcp/a4-highgpu-8g/us-central1/spot"
    ]


def test_every_family_is_of_a_known_card():
    assert {gpu for gpu, _, _ in GPUS.values()} <= set(accelerators())


def test_skus_of_gpu_machines_are_kept_as_they_were_written_and_no_others(read):
    _, (snapshot,) = read
    listed = b"".join(recorded(f"gcp/skus.{page}.json") for page in (1, 2))
    for line in snapshot.body[len('{"skus": [') : -2].split(b",\n{\n"):
        assert line.removeprefix(b"{\n") in listed
    for other in (b"N1 Predefined", b"Licensing Fee", b"Network"):
        assert other in listed
        assert other not in snapshot.body
    assert len(json.loads(snapshot.body)["skus"]) == listed.count(b'"skuId"') - 3


def test_the_key_goes_into_a_header_and_the_other_name_is_taken_too():
    with serving(SOURCES["gcp"].route) as server:
        adapter, _ = adapter_at("gcp", server.base, environment={"GCP_API_KEY": SECRET})
        (snapshot,) = adapter.fetch()
        server.always = Reply({"error": {"code": 403, "message": "no"}}, 403)
        with pytest.raises(CredentialError, match="check GCP_API_KEY"):
            list(adapter.fetch())
    assert all(request.headers["x-goog-api-key"] == SECRET for request in server.requests)
    assert not any("key" in request.query for request in server.requests)
    assert "key" not in snapshot.address


def test_a_key_that_does_not_exist_is_a_refused_one_though_answered_with_400():
    said = {"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}
    with serving(lambda request, base: Reply(said, 400)) as server:
        adapter, _ = adapter_at("gcp", server.base)
        with pytest.raises(CredentialError, match="check GOOGLE_API_KEY"):
            list(adapter.fetch())
        assert len(server.requests) == 1


@pytest.mark.parametrize("end", [None, "", "missing"])
def test_pages_end_at_null_at_an_empty_token_and_at_none(end):
    page = json.loads(recorded("gcp/skus.1.json")) | {"nextPageToken": end}
    if end == "missing":
        del page["nextPageToken"]
    with serving(lambda request, base: Reply(page)) as server:
        adapter, _ = adapter_at("gcp", server.base)
        assert len(list(adapter.fetch())) == len(server.requests) == 1


def test_a_catalogue_without_gpus_is_no_answer():
    with serving(lambda request, base: Reply({"skus": []})) as server:
        adapter, _ = adapter_at("gcp", server.base)
        with pytest.raises(FetchError, match="no part of a GPU machine"):
            list(adapter.fetch())
