"""Bills worked out by hand: what offers, purchases and kilowatt-hours cost, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from optimizer.costs import Costs, Flow
from optimizer.horizon import Horizon, Slice
from optimizer.schedule.document import MoneyAssumptions, OwnedHardware, Purchase, TariffBand
from providers.fx import FxTable
from providers.money import Money
from providers.offers import Offer, OfferBook, TokenOffer
from providers.terms import Increment, PurchaseModel, Tenor, Tier

FIRST = date(2027, 1, 1)
NIGHT = Slice(tuple(range(8)))
DAY = Slice(tuple(range(8, 24)))


def yuan(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def offer(
    increment: Increment = Increment.HOUR,
    tenor: Tenor | None = None,
    price: str = "10",
    upfront: str = "0",
    tax_included: bool | None = True,
) -> Offer:
    return Offer(
        provider="shop",
        sku="x",
        instance_type="x",
        region="cn",
        tier=Tier.SPECIALIST,
        gpu="RTX4090",
        gpu_count=1,
        interconnect="pcie",
        vcpu=None,
        ram_gb=None,
        purchase_model=PurchaseModel.ON_DEMAND,
        increment=increment,
        tenor=tenor or Tenor(),
        price=yuan(price),
        upfront=yuan(upfront),
        tax_included=tax_included,
        min_units=1,
        max_units=None,
        max_gpus_per_host=4,
        observed_at=FIRST,
        valid_until=None,
        confidence="A",
        source="made up",
    )


def costs(n_days: int = 365, slices: tuple[Slice, ...] = (), **money: object) -> Costs:
    fx = FxTable("EUR", {FIRST: {"USD": Decimal("1.25"), "CNY": Decimal(8)}}, "made up")
    horizon = Horizon(FIRST, n_days, slices or (Slice(tuple(range(24))),))
    return Costs(horizon, "CNY", OfferBook(FIRST, fx), MoneyAssumptions.model_validate(money))


def flows(found: list[Flow]) -> list[tuple[int, Decimal]]:
    return [(flow.day, flow.amount) for flow in found]


# -- renting -----------------------------------------------------------------------------------


def test_a_prepaid_month_is_paid_whole_on_its_first_day() -> None:
    month = offer(Increment.MONTH, Tenor(months=1), "3000")
    assert flows(costs().rental(month, 2, 31)) == [(31, Decimal(6000))]
    assert month.prepaid


def test_a_bare_month_is_a_term_of_one_month() -> None:
    month = offer(Increment.MONTH, price="3000")
    assert costs().term(month) == Tenor(months=1)
    assert flows(costs().rental(month, 1, 0)) == [(0, Decimal(3000))]


def test_a_year_paid_by_the_month_has_twelve_bills_in_advance() -> None:
    """From 1 January 2027: days on which the months of the year start."""
    year = offer(Increment.MONTH, Tenor(months=12), "100", upfront="500")
    starts = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    expected = [(0, Decimal(500)), *((day, Decimal(100)) for day in starts)]
    assert flows(costs().rental(year, 1, 0)) == expected


def test_hours_within_a_term_are_billed_at_the_end_of_each_month_of_it() -> None:
    """A quarter from 1 February: 28, 31 and 30 days of 24 hours at 2 an hour."""
    quarter = offer(Increment.HOUR, Tenor(months=3), "2")
    assert flows(costs().rental(quarter, 1, 31)) == [
        (59, Decimal(28 * 24 * 2)),
        (90, Decimal(31 * 24 * 2)),
        (120, Decimal(30 * 24 * 2)),
    ]


def test_a_month_from_the_31st_ends_with_the_short_month() -> None:
    """31 January to 28 February is a month of 28 days."""
    month = offer(Increment.HOUR, Tenor(months=1), "1")
    assert flows(costs().rental(month, 1, 30)) == [(58, Decimal(28 * 24))]


def test_days_within_a_term_are_billed_in_advance() -> None:
    ten_days = offer(Increment.DAY, Tenor(days=10), "24")
    assert flows(costs().rental(ten_days, 1, 5)) == [(5, Decimal(240))]


def test_hours_without_a_term_cost_what_is_used() -> None:
    assert flows(costs().hourly(offer(price="1.5"), 4, 9, 7)) == [(9, Decimal(42))]


def test_a_term_past_the_horizon_is_charged_whole() -> None:
    """A week that starts on the eighth of ten days, and four days of it are not used."""
    week = offer(Increment.WEEK, Tenor(days=7), "700")
    assert flows(costs(10).rental(week, 1, 7)) == [(7, Decimal(700))]


def test_a_term_past_the_horizon_is_credited_pro_rata_on_the_last_day() -> None:
    week = offer(Increment.WEEK, Tenor(days=7), "700")
    credited = costs(10, terms_past_horizon="credit").rental(week, 1, 7)
    assert flows(credited) == [(7, Decimal(700)), (10, Decimal(-400))]
    inside = costs(20, terms_past_horizon="credit").rental(week, 1, 7)
    assert flows(inside) == [(7, Decimal(700))]


def test_bills_after_the_horizon_are_settled_with_the_credit() -> None:
    """A year by the month, seen for 31 days: the sum is 31/365 of it, and nothing comes later."""
    year = offer(Increment.MONTH, Tenor(months=12), "365")
    found = costs(31, terms_past_horizon="credit").rental(year, 1, 0)
    assert max(flow.day for flow in found) == 31
    assert sum(flow.amount for flow in found) == Decimal(12 * 31)


@pytest.mark.parametrize(
    ("vat", "tax_included", "expected"),
    [
        ("ignore", True, "106"),
        ("ignore", False, "106"),
        ("recoverable", True, "100"),
        ("recoverable", False, "106"),
        ("recoverable", None, "106"),
        ("cost", True, "106"),
        ("cost", False, "112.36"),
        ("cost", None, "106"),
    ],
)
def test_vat_is_taken_off_where_it_comes_back_and_added_where_it_does_not(
    vat: str, tax_included: bool | None, expected: str
) -> None:
    quoted = offer(price="106", tax_included=tax_included)
    found = costs(vat=vat, vat_rate_services=0.06).increment_price(quoted, 1)
    assert found == Decimal(expected)


def test_prices_in_another_currency_are_converted_at_the_rate_of_the_day() -> None:
    """1 EUR is 1.25 USD or 8 CNY: a dollar is 6.40."""
    dollars = Money(Decimal(10), "USD")
    quoted = replace(offer(), price=dollars, upfront=Money(Decimal(0), "USD"))
    assert costs().increment_price(quoted, 1) == Decimal(64)


# -- owning ------------------------------------------------------------------------------------


def purchase(**more: object) -> Purchase:
    return Purchase.model_validate(
        {"node": "2xRTX4090", "price": "40000 CNY", "busy_power": "1000 W", "idle_power": "100 W"}
        | more
    )


def test_a_purchase_has_its_price_maintenance_hosting_and_resale() -> None:
    """A year from delivery on day 10: 12 x 30.4 days; 60 % comes back, less 5 % for the sale."""
    found = costs(400, resale_cost="5 %").purchase(
        purchase(
            lead_time="10 days",
            maintenance="12 %/year",
            hosting="300 CNY/month",
            residual={"12 months": "60 %"},
        ),
        0,
        375,
    )
    by_component: dict[str, Decimal] = {}
    for flow in found:
        by_component[flow.component] = by_component.get(flow.component, Decimal(0)) + flow.amount
    assert by_component["purchase"] == 40000
    assert by_component["maintenance"] == pytest.approx(Decimal(4800))
    assert by_component["hosting"] == pytest.approx(Decimal(3600))
    assert by_component["resale"] == pytest.approx(Decimal(-22800))
    days = {flow.component: flow.day for flow in found}
    assert (days["purchase"], days["resale"], days["hosting"]) == (0, 375, 375)


def test_a_node_sold_within_its_first_month_pays_for_the_days_it_was_there() -> None:
    found = costs().purchase(purchase(hosting="365 CNY/month"), 3, 13)
    hosting = [(f.day, f.amount) for f in found if f.component == "hosting"]
    assert [day for day, _ in hosting] == [13]
    assert hosting[0][1] == pytest.approx(Decimal(120))


def test_vat_on_goods_is_its_own_rate() -> None:
    net = costs(vat="recoverable", vat_rate_goods=0.25).purchase(purchase(), 0, 1)
    assert net[0] == Flow(0, Decimal(32000), "purchase")
    gross = costs(vat="cost", vat_rate_goods=0.25).purchase(purchase(tax_included=False), 0, 1)
    assert gross[0] == Flow(0, Decimal(50000), "purchase")


TARIFF = [
    TariffBand.model_validate({"hours": ["00:00-08:00"], "price": "0.3 CNY/kWh"}),
    TariffBand.model_validate({"hours": ["08:00-24:00"], "price": "0.9 CNY/kWh"}),
]


def test_a_busy_hour_costs_what_it_draws_beyond_idle_at_the_price_of_its_band() -> None:
    """(1000 - 100) W x PUE 1.5: 1.35 kW, 8 hours at 0.3 and 16 hours at 0.9."""
    prices = costs(slices=(NIGHT, DAY), electricity=TARIFF, pue=1.5)
    assert prices.busy_energy(purchase(), 4, NIGHT) == Flow(4, Decimal("3.24"), "electricity")
    assert prices.busy_energy(purchase(), 4, DAY) == Flow(4, Decimal("19.44"), "electricity")


def test_idle_power_is_paid_day_and_night_while_a_node_is_kept() -> None:
    """100 W x 1.5: 0.15 kW; 8 hours at 0.3 and 16 at 0.9 is 2.52 a day, ten days."""
    prices = costs(slices=(NIGHT, DAY), electricity=TARIFF, pue=1.5)
    found = prices.idle_energy(purchase(), 0, 10)
    assert [flow.day for flow in found] == [10]
    assert found[0].amount == pytest.approx(Decimal("25.2"))


def test_nodes_switched_off_when_idle_pay_all_power_when_busy() -> None:
    prices = costs(slices=(NIGHT, DAY), electricity=TARIFF, pue=1.5, power_policy="off_when_idle")
    assert prices.idle_energy(purchase(), 0, 10) == []
    assert prices.busy_energy(purchase(), 0, NIGHT).amount == Decimal("3.6")


def test_owned_hardware_costs_its_hosting_from_the_day_it_is_there() -> None:
    item = OwnedHardware.model_validate(
        {"node": "1xRTX4090", "available": "2027-01-11", "hosting": "365 CNY/month"}
    )
    found = costs(20).owned(item, 3)
    assert [flow.day for flow in found] == [20]
    assert found[0].amount == pytest.approx(Decimal(360))
    assert found[0].component == "hosting"


def test_power_that_is_not_given_is_rated_power_and_a_host() -> None:
    """Two cards of 450 W and 150 W for the host; idle is 15 % of it."""
    item = OwnedHardware.model_validate({"node": "2xRTX4090"})
    assert costs().power_w(item) == (Decimal(1050), Decimal("157.5"))


# -- tokens and data ---------------------------------------------------------------------------


def test_tokens_are_paid_by_the_million_in_and_out() -> None:
    api = TokenOffer("shop", "m", "m", yuan("2"), yuan("8"), None, FIRST, "A", "made up")
    flow = costs().tokens(api, Decimal(500_000), Decimal(250_000), 3)
    assert flow == Flow(3, Decimal(3), "api")


def test_data_is_paid_by_the_gigabyte() -> None:
    assert costs().transfer(yuan("0.5"), 120.0, 2) == Flow(2, Decimal(60), "data")


def test_present_value_discounts_every_flow_by_its_day() -> None:
    found = costs(discount_rate="10 %/year").present_value(
        [Flow(0, Decimal(100), "rent"), Flow(365, Decimal(110), "rent")]
    )
    assert found == pytest.approx(Decimal(200))
