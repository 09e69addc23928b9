"""AWS: what each row of its answers means, and which are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from test_aws import offer, reasons
from test_contract import SEEN, fates, fetched

from providers.adapter import Snapshot
from providers.adapters.aws.adapter import Aws
from providers.http import FetchError
from providers.live import Settings
from providers.offers import Offer, Rejected
from providers.terms import Increment, Tenor

HOME = Aws.home


@pytest.fixture(scope="module")
def found():
    return fates(fetched("aws"))


def test_an_hour_is_billed_by_the_second_and_exact(found):
    on_demand = offer(found, "aws/p4d.24xlarge/us-east-1/on_demand")
    assert on_demand.price.amount == Decimal("21.957642")
    assert (on_demand.increment, on_demand.tenor) == (Increment.SECOND, Tenor())
    assert (on_demand.gpu, on_demand.gpu_count) == ("A100-SXM4-40GB", 8)
    assert (on_demand.vcpu, on_demand.ram_gb) == (96, 1152)
    assert on_demand.tax_included is False


@pytest.mark.parametrize(
    ("sku", "hourly", "upfront"),
    [
        ("no-upfront/P1Y", "13.83", "0"),
        ("partial-upfront/P1Y", "6.85", "60006"),
        ("all-upfront/P1Y", "0", "118000"),
        ("no-upfront/P3Y", "9.39", "0"),
        ("partial-upfront/P3Y", "4.34", "114055"),
        ("all-upfront/P3Y", "0", "228000"),
    ],
)
def test_a_reservation_costs_its_hours_and_its_fee(found, sku, hourly, upfront):
    reserved = offer(found, f"aws/p4d.24xlarge/us-east-1/reserved/{sku}")
    assert (reserved.price.amount, reserved.upfront.amount) == (Decimal(hourly), Decimal(upfront))
    assert reserved.increment is Increment.HOUR


def test_every_way_to_pay_a_savings_plan_costs_the_same_in_all(found):
    """A rate of 13.07 an hour for a year, half of it at the start; 8.41 for three, all of it."""
    half = offer(found, "aws/p4d.24xlarge/us-east-1/savings_plan/ec2-partial-upfront/P1Y")
    assert half.price.amount * 8760 + half.upfront.amount == Decimal("13.07") * 8760
    assert half.price.amount == Decimal("6.535")
    whole = offer(found, "aws/p4d.24xlarge/us-east-1/savings_plan/ec2-all-upfront/P3Y")
    assert (whole.price.amount, whole.upfront.amount) == (0, Decimal("8.41") * 26_280)
    none = offer(found, "aws/p4d.24xlarge/us-east-1/savings_plan/compute-no-upfront/P1Y")
    assert (none.price.amount, none.upfront.amount) == (Decimal("15.42"), 0)


def test_a_spot_price_is_the_newest_of_its_zone(found):
    spot = [f for f in found if isinstance(f, Offer) and f.purchase_model == "spot"]
    p4d = {f.sku.split("/")[3]: f.price.amount for f in spot if f.instance_type == "p4d.24xlarge"}
    assert p4d == {"use1-az1": Decimal("2.4655"), "use1-az6": Decimal("2.9031")}
    assert "interrupted within a month: >20%" in spot[1].note
    older = reasons(found)["aws/spot p4d.24xlarge use1-az1"]
    assert older == "an older price, of 2026-11-08 21:40"


def test_a_capacity_block_is_paid_whole_and_bookable_until_it_starts(found):
    week = offer(found, "aws/p5.48xlarge/us-east-2/capacity_block/P7D")
    assert (week.price.amount, week.increment) == (Decimal("5285.28"), Increment.WEEK)
    assert week.prepaid
    assert week.valid_until == datetime(2026, 12, 2, tzinfo=UTC).date()
    assert "starts 2026-12-02 11:30 UTC in us-east-2a" in week.note
    two_weeks = offer(found, "aws/p5en.48xlarge/us-east-2/capacity_block/P14D")
    assert (two_weeks.price.amount, two_weeks.upfront.amount) == (0, 14784)


def test_a_block_of_two_machines_is_priced_for_one_and_sold_as_two(found):
    day = offer(found, "aws/p5e.48xlarge/us-east-2/capacity_block/P1D")
    assert day.price.amount == Decimal("1912.32") / 2
    assert (day.min_units, day.max_units) == (2, 2)


def test_gaps_of_the_machine_list_are_filled_from_the_documented_families(found):
    """No GpuInfo at all; a GPU called NVIDIA; 22 888 MiB of the 24 GB of an L4."""
    assert offer(found, "aws/p5.4xlarge/us-east-1/on_demand").gpu == "H100-SXM5-80GB"
    assert offer(found, "aws/p5e.48xlarge/us-east-2/capacity_block/P1D").gpu == "H200-141GB"
    assert offer(found, "aws/g6.12xlarge/us-east-1/on_demand").gpu == "L4"


def test_a_machine_without_a_price_is_said(found):
    reason = "EC2 has it here, but the price list has no price for it"
    assert reasons(found)["aws/g6e.48xlarge us-east-1"] == reason


def test_china_is_priced_in_yuan():
    china = fates(fetched("aws_china"))
    on_demand = offer(china, "aws_china/p4d.24xlarge/cn-northwest-1/on_demand")
    assert str(on_demand.price) == "236.60 CNY"
    assert on_demand.tax_included is None


def region_snapshot(**answers):
    """One answer in a region's snapshot, with the machines of the recordings."""
    types = {"InstanceTypes": [{"InstanceType": "p5.48xlarge", "GpuInfo": {"Gpus": [
        {"Name": "H100", "Count": 8, "MemoryInfo": {"SizeInMiB": 81920}}]}}]}  # fmt: skip
    listed = {"DescribeInstanceTypes": types, **answers}
    body = {
        "region": "us-east-1",
        "answers": [{"operation": o, "address": HOME, "answer": a} for o, a in listed.items()],
        "refused": [],
    }
    return Snapshot(HOME, SEEN, json.dumps(body).encode())


BLOCK = {
    "InstanceType": "p5.48xlarge", "InstanceCount": 1, "StartDate": "2026-12-02T11:30:00+00:00",
    "CapacityBlockDurationHours": 24, "UpfrontFee": "900.00", "CurrencyCode": "USD",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"CapacityBlockDurationHours": 30}, "a block of 30 h is not whole days"),
        ({"InstanceCount": 0}, "a block of no machines"),
        ({"StartDate": "soon"}, "StartDate is 'soon', not a time"),
        ({"StartDate": "2026-11-19T11:30:00+00:00"}, "it started on 2026-11-19 11:30"),
        ({"Tenancy": "dedicated"}, "tenancy is 'dedicated', not 'default'"),
        ({"UpfrontFee": None}, "no UpfrontFee"),
        ({"InstanceType": "trn2.48xlarge"}, "family 'trn2' is not one of those read"),
        ({"InstanceType": "p5.24xlarge"}, "how many GPUs p5.24xlarge has is not told"),
    ],
)
def test_odd_blocks_say_what_is_odd(change, said):
    blocks = {"CapacityBlockOfferings": [{**BLOCK, **change}]}
    snapshot = region_snapshot(DescribeCapacityBlockOfferings=blocks)
    found = [f.reason for f in Aws(Settings()).parse(snapshot) if isinstance(f, Rejected)]
    assert said in found


def test_an_answer_of_an_unknown_operation_is_refused():
    with pytest.raises(FetchError, match="an answer of 'ListMoons'"):
        list(Aws(Settings()).parse(region_snapshot(ListMoons={})))
