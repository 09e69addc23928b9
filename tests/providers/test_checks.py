"""The gates between a fetched table and the published one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from providers.adapter import ProviderTable, Snapshot
from providers.checks import judge, price_band
from providers.config import GateConfig
from providers.money import Money
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier

NOW = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
GATES = GateConfig()


def offer(name: str, price: str, gpu: str = "H100-SXM5-80GB", **changes) -> Offer:
    usual = Offer(
        provider="acme",
        sku=f"acme/{name}/any/on_demand",
        instance_type=name,
        region="any",
        tier=Tier.SPECIALIST,
        gpu=gpu,
        gpu_count=1,
        interconnect="none",
        vcpu=None,
        ram_gb=None,
        purchase_model=PurchaseModel.ON_DEMAND,
        increment=Increment.HOUR,
        tenor=Tenor(),
        price=Money(Decimal(price), "USD"),
        upfront=Money(Decimal(0), "USD"),
        tax_included=False,
        min_units=1,
        max_units=None,
        max_gpus_per_host=1,
        observed_at=date(2026, 11, 20),
        valid_until=None,
        confidence="A",
        source="https://acme.example/prices",
    )
    return replace(usual, **changes)


def table(*offers: Offer) -> ProviderTable:
    return ProviderTable("acme", NOW, (Snapshot("https://acme.example", NOW, b"{}"),), offers, ())


USUAL = [offer(f"type-{number}", f"{2 + number / 10}") for number in range(10)]


def test_an_unchanged_table_passes():
    judged = judge(table(*USUAL), USUAL, GATES)
    assert judged.findings == ()
    assert judged.held_back == ()
    assert judged.table.offers == tuple(USUAL)


def test_the_first_table_of_a_source_needs_nothing_to_compare_with():
    assert judge(table(*USUAL[:1]), [], GATES).findings == ()


def test_an_empty_table_is_suspicious_even_at_first():
    assert "no offer in it" in judge(table(), [], GATES).findings[0]


@pytest.mark.parametrize(("rows", "suspicious"), [(7, False), (6, True)])
def test_a_table_may_shrink_by_three_tenths(rows, suspicious):
    judged = judge(table(*USUAL[:rows]), USUAL, GATES)
    assert bool(judged.findings) is suspicious
    if suspicious:
        assert judged.findings == ("offers: 10 before, 6 now; at least 70% expected",)


def test_a_gpu_family_that_vanishes_is_suspicious_unless_it_was_a_single_offer():
    a100 = [offer(f"a-{n}", "1.5", "A100-SXM4-80GB") for n in range(2)]
    single = [offer("l40s", "0.9", "L40S-48GB")]
    judged = judge(table(*USUAL), [*USUAL, *a100, *single], GATES)
    assert judged.findings == ("A100-SXM4-80GB: all 2 offers are gone",)


def test_a_family_that_is_named_but_sold_out_is_news_of_the_market():
    a100 = [offer(f"a-{n}", "1.5", "A100-SXM4-80GB") for n in range(2)]
    sold_out = [Rejected("acme/a-0/any/on_demand", "none can be had")]
    judged = judge(replace(table(*USUAL), rejected=tuple(sold_out)), [*USUAL, *a100], GATES)
    assert judged.findings == ()


def test_one_price_that_jumps_is_held_back_and_the_rest_goes_on():
    jumped = [offer("type-0", "7"), *USUAL[1:]]
    judged = judge(table(*jumped), USUAL, GATES)
    assert judged.findings == ()
    [row] = judged.held_back
    assert row.reason == "held back: 2.0 USD -> 7 USD (x3.50) since the last good table"
    assert judged.table.offers == tuple(USUAL[1:])
    assert row in judged.table.rejected


def test_cents_read_as_dollars_are_held_back_without_anything_to_compare_with():
    judged = judge(table(offer("cents", "299"), *USUAL), [], GATES)
    [row] = judged.held_back
    assert "USD per GPU-hour of H100-SXM5-80GB" in row.reason


def test_many_unbelievable_prices_quarantine_the_table_with_the_prices_in_it():
    dear = [offer(f"type-{n}", f"{900 + n}") for n in range(3)]
    judged = judge(table(*dear, *USUAL[3:]), USUAL, GATES)
    assert "3 of 10 prices are not believable" in judged.findings
    assert any("acme/type-1/any/on_demand" in line for line in judged.findings)


def test_a_market_that_moves_as_a_whole_is_suspicious():
    doubled = [replace(o, price=o.price * 2) for o in USUAL]
    judged = judge(table(*doubled), USUAL, GATES)
    assert judged.findings[0] == "the median price moved x2.00 over 10 offers"
    assert "  acme/type-0/any/on_demand: 2.0 USD -> 4.0 USD (x2.00)" in judged.findings


def test_a_market_that_rises_by_a_third_is_a_market():
    dearer = [replace(o, price=o.price * Decimal("1.33")) for o in USUAL]
    assert judge(table(*dearer), USUAL, GATES).findings == ()


def test_another_currency_is_not_compared():
    yuan = [replace(o, price=Money(o.price.amount * 7, "CNY"), upfront=Money(Decimal(0), "CNY"))
            for o in USUAL]  # fmt: skip
    assert judge(table(*yuan), USUAL, GATES).findings == ()


def test_gates_can_be_set_wider():
    wide = GateConfig(biggest_median_move=3)
    doubled = [replace(o, price=o.price * 2) for o in USUAL]
    assert judge(table(*doubled), USUAL, wide).findings == ()


def test_a_card_without_bundled_prices_has_a_wide_band():
    low, high = price_band("A10G")
    assert low < Decimal("0.05")
    assert high > 50
