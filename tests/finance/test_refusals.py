"""What must be refused is refused, with one sentence that says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from optimizer.finance import returns
from optimizer.finance.amortisation import Amortisation
from optimizer.finance.depreciation import straight_line
from optimizer.finance.energy import Tariff
from optimizer.finance.fx import converted
from optimizer.finance.ifrs16 import Contract, accounting_flags, lease_schedule
from optimizer.finance.ownership import Fleet
from optimizer.finance.presets import Asset, preset
from optimizer.finance.refusal import FinanceError
from optimizer.finance.reliability import spares_needed, spot_hour
from optimizer.finance.risk import Scenarios, Triangular, value_at_risk
from optimizer.finance.rounding import rounded
from optimizer.finance.unit_costs import (
    even_million_tokens,
    per_delivered_gpu_hour,
    per_useful_hour,
)
from optimizer.finance.vat import VatPosition
from providers.fx import Rate
from providers.money import Money

D = Decimal
JUNE = date(2026, 6, 1)
USED = Asset(D(9000), 2, "GBP", JUNE, used=True)
SMALL = Asset(D(9000), 2, "CNY", JUNE)


def said(refused: Callable[[], object]) -> str:
    with pytest.raises(FinanceError) as error:
        refused()
    return str(error.value)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (lambda: Scenarios((D("0.5"), D("0.4")), (D(1), D(2))), "add up to 0.9, not to 1"),
        (lambda: Scenarios((D("1.5"), D("-0.5")), (D(1), D(2))), "between 0 and 1"),
        (lambda: Scenarios((D(1),), ()), "each scenario"),
        (lambda: value_at_risk([D(1)], [D("0.9")], D("0.9")), "not to 1"),
        (lambda: Triangular(D(2), D(1), D(3)), "low <= mode <= high"),
        (lambda: Tariff.daily([D(1)] * 23), "each of 24 hours"),
        (lambda: Tariff.bands({"peak": (D(1), range(23))}), "hour 23 is in no band"),
        (
            lambda: Tariff.bands({"a": (D(1), range(24)), "b": (D(2), [5])}),
            "hour 5 is in band b and in another",
        ),
        (lambda: VatPosition.parse("some"), "recoverable, non_recoverable or partial:0.6"),
        (lambda: VatPosition.parse("partial:1.2"), "no VAT position"),
        (lambda: VatPosition.parse("partial:"), "no VAT position"),
        (lambda: per_delivered_gpu_hour(D(9), 8, D(0)), "never used"),
        (lambda: per_useful_hour(D(9), D(8), D(4), D(4)), "no useful hour"),
        (lambda: even_million_tokens(D(9), D(1), D(1)), "none pay back"),
        (lambda: spot_hour(D(1), D(1), D(1), D(0)), "no useful hour"),
        (lambda: spares_needed(8, D("0.1"), D(1)), "between 0 and 1"),
        (lambda: lease_schedule(D(1), 0, D("0.05")), "at least one month"),
        (lambda: straight_line(D(1), 3, D(0), 13), "0 to 12 months"),
        (lambda: Amortisation(D(1), D(10), D(11)), "11 of 10 hours"),
        (lambda: rounded(D(1), "XXX"), "smallest unit of XXX"),
        (lambda: Fleet(1, 0, D(1), D(3), D(0)), "at least one GPU"),
        (lambda: Fleet(1, 1, D(1), D(3), D(2)), "not one"),
        (
            lambda: converted(Money(D(1), "EUR"), Rate("USD", "CNY", D(7), JUNE, "x")),
            "does not convert 1.00 EUR",
        ),
        (lambda: preset("cn-sl"), "did you mean cn-sl3"),
    ],
)
def test_it_is_refused_with_a_reason(refused: Callable[[], object], why: str) -> None:
    sentence = said(refused)
    assert why in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "asset", "why"),
    [
        ("cn-one-off", Asset(D(1), 1, "CNY", date(2028, 1, 1)), "to 2027-12-31, not on 2028-01-01"),
        ("cn-one-off", Asset(D(1), 1, "CNY", date(2023, 12, 31)), "holds from 2024-01-01"),
        ("cn-one-off", Asset(D(5_000_001), 1, "CNY", JUNE), "allows 5,000,000 CNY for a machine"),
        ("cn-one-off", Asset(D(1), 1, "USD", JUNE), "limit in CNY; convert USD first"),
        ("us-bonus100", Asset(D(1), 1, "USD", date(2025, 1, 19)), "holds from 2025-01-20 on"),
        ("us-macrs5-mq1", Asset(D(1), 1, "USD", JUNE), "use begins in quarter 1, not 2"),
        ("uk-fe", USED, "new and unused machines only"),
        ("uk-fya40-wda14", USED, "new and unused machines only"),
        ("uk-aia", Asset(D(9000), 112, "GBP", JUNE), "1,000,000 GBP for all purchases of a year"),
        ("uk-fya40-wda14", Asset(D(1), 1, "GBP", date(2026, 3, 31)), "holds from 2026-04-01 on"),
    ],
)
def test_a_preset_is_refused_outside_its_rule_unless_forced(
    name: str, asset: Asset, why: str
) -> None:
    rule = preset(name)
    assert why in said(lambda: rule.deductions(asset))
    assert rule.deductions(asset, force=True).cost == asset.cost


def test_used_cards_are_told_apart_by_country() -> None:
    """Allowed for China's one-off deduction and the UK's allowance, only partly in the US."""
    allowed = Asset(D(9000), 2, "CNY", JUNE, used=True)
    assert preset("cn-one-off").refusal(allowed) == ""
    assert preset("uk-aia").refusal(USED) == ""
    partly = Asset(D(9000), 2, "USD", JUNE, used=True)
    assert preset("us-bonus100").refusal(partly) == ""
    assert "only some used machines" in preset("us-bonus100").warnings(partly, JUNE)[0]


def test_a_preset_past_its_review_says_so() -> None:
    rule = preset("cn-one-off")
    assert rule.warnings(SMALL, rule.review_after) == []
    late = rule.warnings(SMALL, date(2027, 7, 1))
    assert late == ["cn-one-off was to be looked at again by 2027-06-30"]


@pytest.mark.parametrize(
    ("flows", "code"),
    [
        ([], "no_sign_change"),
        ([D(0), D(0)], "no_sign_change"),
        ([D(-5), D(-1)], "no_sign_change"),
        ([D(-100), D(230), D(-132)], "several_rates"),
        ([D(1), D(-2), D(2)], "several_rates"),
    ],
)
def test_no_single_rate_is_given_where_there_is_none(flows: list[D], code: str) -> None:
    found = returns.irr(flows)
    assert found.value is None
    assert found.code == code
    assert found.reason


def test_a_rate_that_only_touches_zero_is_found() -> None:
    """(1.1 v - 1) squared: 10 % twice, where no sign changes."""
    found = returns.irr([D(1), D("-2.2"), D("1.21")])
    assert found.code == "several_rates"
    assert [round(rate, 9) for rate in found.candidates] == [D("0.1")]


def test_flows_that_swing_all_the_time_are_refused_at_once() -> None:
    found = returns.irr([D(-1) ** day * 100 for day in range(2000)])
    assert found.code == "several_rates"
    assert found.candidates == ()
    assert "change direction 1999 times" in found.reason
    assert "even out" not in found.reason


def test_three_rates_are_all_named() -> None:
    """Flows made from roots at 0, 100 and 200 % a period."""
    found = returns.irr([D(1), D(-6), D(11), D(-6)])
    assert [round(rate, 12) for rate in found.candidates] == [D(0), D(1), D(2)]
    assert "0.00% and 100.00% and 200.00%" in found.reason


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (returns.mirr([D(-1), D(-2)], D("0.1"), D("0.1")), "no_sign_change"),
        (returns.profitability_index(D("0.1"), [D(1), D(2)]), "nothing_invested"),
        (returns.payback([D(-3), D(1), D(1)]), "never"),
        (returns.payback([D(3), D(-1)]), "nothing_invested"),
        (returns.xirr([]), "no_sign_change"),
    ],
)
def test_an_undefined_metric_is_none_with_a_code(found: returns.Metric, code: str) -> None:
    assert found.value is None
    assert found.code == code
    assert found.reason


def test_a_payback_that_does_not_last_says_so() -> None:
    found = returns.payback([D(-10), D(12), D(-5)])
    assert round(found.value or 0, 6) == D("0.833333")
    assert "below 0 again" in found.reason


def test_what_a_contract_does_not_say_is_asked_and_not_decided() -> None:
    open_case = accounting_flags(Contract("named server", 36, identified_asset=True))
    assert open_case.is_lease is None
    assert open_case.on_balance_sheet is None
    assert open_case.questions == ("Do you decide how and for what the machine is used?",)


def test_a_purchase_option_takes_the_short_term_election_away() -> None:
    contract = Contract(
        "named server", 12, identified_asset=True, directs_use=True, purchase_option=True
    )
    assert accounting_flags(contract).on_balance_sheet is True
