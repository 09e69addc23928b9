"""FOCUS rows of plans: they foot, keep the rules of the columns, and text stays text."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from focus_plans import PLANS, reserved
from review_cases import HOSTILE, everything, tiny

from optimizer.plans import LedgerLine
from optimizer.report.money_text import cents, footed
from optimizer.review.focus import charges, focus_csv, months, shared

D = Decimal


def rows(plan, version="1.2"):
    return list(csv.DictReader(io.StringIO(focus_csv(plan, version))))


def amount(row, column):
    return D(row[column] or 0)


@pytest.fixture(params=sorted(PLANS))
def plan(request):
    return PLANS[request.param]()


def test_bills_add_up_to_the_total_of_the_plan_to_the_cent(plan):
    assert sum(amount(row, "BilledCost") for row in rows(plan)) == cents(plan.total)


def test_bills_of_each_line_add_up_to_it(plan):
    billed = defaultdict(D)
    for row in rows(plan):
        billed[row["x_LedgerComponent"], row["x_LedgerCause"]] += amount(row, "BilledCost")
    expected = footed([line.amount for line in plan.ledger])
    for line, whole in zip(plan.ledger, expected, strict=True):
        assert billed.pop((line.component, line.cause)) == whole
        assert abs(whole - line.amount) < D("0.01")
    assert set(billed.values()) <= {D(0)}


def test_what_is_paid_ahead_is_the_effective_cost_of_its_hours(plan):
    """Per commitment: bill of the purchase = effective cost of used and unused hours."""
    bought, used, hours = defaultdict(D), defaultdict(D), defaultdict(D)
    for row in rows(plan):
        held = row["CommitmentDiscountId"]
        if not held:
            continue
        if row["ChargeCategory"] == "Purchase":
            assert amount(row, "EffectiveCost") == 0
            bought[held] += amount(row, "BilledCost")
            hours[held] += amount(row, "CommitmentDiscountQuantity")
        else:
            assert amount(row, "BilledCost") == 0
            assert row["CommitmentDiscountStatus"] in ("Used", "Unused")
            used[held] += amount(row, "EffectiveCost")
            hours[held] -= amount(row, "CommitmentDiscountQuantity")
    assert bought == used
    assert all(abs(left) < D("1E-9") for left in hours.values())


def test_owned_nodes_have_used_and_unused_hours_and_a_resale_that_is_a_credit():
    found = rows(reserved())
    owned = [row for row in found if row["CommitmentDiscountType"] == "Owned hardware"]
    assert {row["CommitmentDiscountStatus"] for row in owned} == {"", "Used", "Unused"}
    used = sum(
        amount(row, "ConsumedQuantity")
        for row in owned
        if row["CommitmentDiscountStatus"] == "Used"
    )
    assert used == D("1.5") * 12 * 62
    credits = [row for row in found if row["ChargeCategory"] == "Credit"]
    assert len(credits) == 2
    assert sum(amount(row, "BilledCost") for row in credits) == D("-90000.37")


def test_prices_have_the_category_of_their_deal():
    by_sku = {row["SkuId"]: row["PricingCategory"] for row in rows(reserved()) if row["SkuId"]}
    assert by_sku["big/year"] == "Committed" or by_sku["big/year"] == "Standard"
    assert by_sku["cheap/spot"] == "Dynamic"
    terms = [
        row["PricingCategory"]
        for row in rows(reserved())
        if row["SkuId"] == "big/year" and row["ChargeCategory"] == "Purchase"
    ]
    assert terms == ["Standard", "Standard"]
    free = [row for row in rows(everything()[0]) if row["ServiceName"] == "Free quota"]
    assert {row["PricingCategory"] for row in free} == {"Other"}


ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Credit"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other", ""},
    "CommitmentDiscountCategory": {"Usage", ""},
    "CommitmentDiscountStatus": {"Used", "Unused", ""},
    "ServiceSubcategory": {
        "Virtual Machines", "Generative AI", "Other (Networking)", "Other (Other)",
    },
}  # fmt: skip
NEVER_NULL = (
         "BilledCost",     "BillingAccountId",     "BillingAccountName",
    "BillingCurrency",     "BillingPeriodEnd",     "BillingPeriodStart",     "ChargeCategory",
    "ChargeDescription",     "ChargeFrequency",     "ChargePeriodEnd",
    "ChargePeriodStart",     "ContractedCost",     "EffectiveCost",     "InvoiceIssuerName",
    "ListCost",     "ProviderName",     "PublisherName",     "ServiceCategory",
    "ServiceName",     "ServiceSubcategory",     "PricingCurrencyEffectiveCost",
)  # fmt: skip


def test_rows_keep_the_rules_of_the_columns(plan):
    """Transcribed from the FOCUS 1.2 rule model (1.2.0.1), rule ids beside each."""
    for row in rows(plan):
        kind = row["ChargeCategory"]
        charged = kind in ("Usage", "Purchase")
        assert all(row[name] for name in NEVER_NULL)  # …-C-003-M
        for column, words in ALLOWED.items():
            assert row[column] in words  # …-C-003-M, allowed values
        for column in ("ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "PricingUnit",
                       "PricingCategory", "SkuId", "SkuPriceId"):  # fmt: skip
            assert bool(row[column]) == charged  # …-C-005-C
        # ConsumedQuantity-C-004-C, -C-006-C; ConsumedUnit-C-005-C
        used = kind == "Usage" and row["CommitmentDiscountStatus"] != "Unused"
        assert bool(row["ConsumedQuantity"]) == bool(row["ConsumedUnit"]) == used
        # CommitmentDiscountStatus-C-003-C, -C-004-C; CommitmentDiscountQuantity-C-005-C
        held = bool(row["CommitmentDiscountId"])
        assert bool(row["CommitmentDiscountStatus"]) == (held and kind == "Usage")
        assert bool(row["CommitmentDiscountQuantity"]) == held
        if held and kind == "Usage":
            assert row["PricingCategory"] == "Committed"  # PricingCategory-C-009-C
        if kind == "Purchase":
            assert row["ChargeFrequency"] != "Usage-Based"  # ChargeFrequency-C-004-C
        if kind == "Credit":  # EffectiveCost-C-010-C, ContractedCost-C-008-C, ListCost-C-008-C
            same = {row[f"{x}Cost"] for x in ("Billed", "Effective", "Contracted", "List")}
            assert len(same) == 1
        for name in ("List", "Contracted") if charged else ():  # …UnitPrice-C-010-C, -C-008-M
            product = amount(row, f"{name}UnitPrice") * amount(row, "PricingQuantity")
            cost = amount(row, f"{name}Cost")
            assert abs(product - cost) <= D("1E-9") * max(abs(cost), 1)
            assert amount(row, f"{name}UnitPrice") >= 0
        assert row["InvoiceIssuerName"] == row["ProviderName"]  # BilledCost-C-005-C
        times = [row[f"{x}Period{y}"] for x in ("Billing", "Charge") for y in ("Start", "End")]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", text) for text in times)
        opens, closes, start, end = (datetime.fromisoformat(text) for text in times)
        assert opens <= start < end <= closes
        assert json.loads(row["Tags"])["schedule"] == plan.schedule


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_own_columns_come_last_and_say_that_nothing_was_billed_yet(plan, version):
    names = focus_csv(plan, version).splitlines()[0].split(",")
    own = [name for name in names if name.startswith("x_")]
    assert names[-len(own) :] == own
    assert names[: -len(own)] == sorted(names[: -len(own)])
    assert {row["x_DataNature"] for row in rows(plan, version)} == {"planned"}


def test_version_1_4_names_providers_by_their_part():
    old, new = rows(reserved()), rows(reserved(), "1.4")
    assert {"ProviderName", "PublisherName"} == old[0].keys() - new[0].keys()
    assert {"ServiceProviderName", "HostProviderName"} == new[0].keys() - old[0].keys()
    assert [r["ProviderName"] for r in old] == [r["ServiceProviderName"] for r in new]


def test_text_of_strangers_is_no_formula_in_a_spreadsheet():
    plan, _ = tiny()
    rentals = tuple(
        replace(line, offer=HOSTILE, provider="@evil", region="+1", source="-1\n=2")
        for line in plan.rentals[:1]
    )
    ledger = (LedgerLine("rent", HOSTILE, rentals[0].cost, D(1)),)
    found = rows(replace(plan, name="=1+1", rentals=rentals, ledger=ledger))
    for row in found:
        for value in row.values():
            assert not value.startswith(("=", "+", "@")), value
            assert not re.search(r"[\x00-\x1f\u202a-\u202e]", value)
            assert len(value) < 600
            assert not value.startswith("-") or D(value) < 0


def test_a_plan_without_rows_still_has_its_columns():
    plan, _ = tiny()
    text = focus_csv(replace(plan, rentals=(), ledger=(), usages=()))
    assert text.count("\n") == 1
    assert text.split(",")[0] == "BilledCost"


@pytest.mark.parametrize(
    ("whole", "weights"),
    [("0.05", "1 1 1"), ("-0.05", "1 1 1"), ("100.00", "0 0"), ("7.77", "3 0.1 1e9")],
)
def test_cents_are_shared_without_loss(whole, weights):
    parts = shared(D(whole), [D(w) for w in weights.split()])
    assert sum(parts) == D(whole)
    assert all(part == part.quantize(D("0.01")) for part in parts)


def test_a_span_is_cut_where_months_end():
    assert months(date(2026, 12, 30), date(2027, 3, 1)) == [
        (date(2026, 12, 30), date(2027, 1, 1)),
        (date(2027, 1, 1), date(2027, 2, 1)),
        (date(2027, 2, 1), date(2027, 3, 1)),
    ]


def test_rows_come_from_charges_in_whole_cents(plan):
    for charge in charges(plan):
        for money in (charge.billed, charge.effective):
            assert money == money.quantize(D("0.01"))


def test_version_1_4_passes_the_lint_of_its_columns(plan, tmp_path):
    """Structure and meaning of single rows; there is no official validator of 1.4."""
    file = tmp_path / "plan.csv"
    file.write_text(focus_csv(plan, "1.4"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "focus_data_toolkit", "validate", "--dataset", "cost-and-usage",
         file], capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "STRUCTURAL_VALID, SEMANTIC_VALID" in done.stdout + done.stderr
