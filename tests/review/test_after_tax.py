"""After tax: by hand, the same as before tax at a rate of 0, refused where a rule does not hold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from one_card import DAYS, one_card

from optimizer.finance.refusal import FinanceError
from optimizer.milp.solve import SolveOptions
from optimizer.review.after_tax import TaxCase, after_tax_figures
from optimizer.review.figure import Figure, explain, find
from optimizer.review.figures import review_figures
from optimizer.review.sides import Comparison, compare

D = Decimal
EXACT = SolveOptions(gap=1e-9)
QUARTER = TaxCase(D("0.25"), "cn-one-off", D("0.06"))


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compare(one_card(tmp_path_factory.mktemp("tax")), EXACT)


def value(figures: tuple[Figure, ...], name: str) -> float:
    found = find(figures, name).value
    assert found is not None
    return float(found)


def resale() -> float:
    return 1000 * (1 - 0.5 * (DAYS / (365 / 12)) / 2)


def test_a_one_off_deduction_is_worked_out_by_hand(weighed: Comparison) -> None:
    """Bought on 1 December 2026: deducted on day 30. Sold on day 60, taxed in full on day 395."""

    def at(day: int) -> float:
        return 1.1 ** (-day / 365)

    saved = sum(24 * 0.75 * at(day) for day in range(DAYS))
    sold = resale() * at(60) - 0.25 * resale() * at(395)
    by_hand = -1000 + saved + 250 * at(30) + sold
    figures = after_tax_figures(weighed, QUARTER)
    assert value(figures, "npv_after_tax") == pytest.approx(by_hand, rel=1e-12)


def test_straight_line_leaves_a_book_value_that_the_sale_is_taxed_against(
    weighed: Comparison,
) -> None:
    """China counts from the month after first use: nothing in 2026, so the loss is in 2027."""

    def at(day: int) -> float:
        return 1.1 ** (-day / 365)

    saved = sum(24 * 0.75 * at(day) for day in range(DAYS))
    by_hand = -1000 + saved + resale() * at(60) - 0.25 * (resale() - 1000) * at(395)
    figures = after_tax_figures(weighed, TaxCase(D("0.25"), "cn-sl3"))
    assert value(figures, "npv_after_tax") == pytest.approx(by_hand, rel=1e-12)
    assert [figure.name for figure in figures] == ["npv_after_tax"]


def test_without_tax_nothing_changes(weighed: Comparison) -> None:
    before = review_figures(weighed)
    rate = Decimal(str(weighed.problem.costs.money.discount_rate))
    figures = after_tax_figures(weighed, TaxCase(D(0), "cn-one-off", rate))
    npv = value(before, "npv")
    assert value(figures, "npv_after_tax") == pytest.approx(npv, rel=1e-15)
    assert value(figures, "net_advantage_to_leasing") == pytest.approx(-npv, rel=1e-15)


def test_contracted_money_is_discounted_at_the_cost_of_debt_after_tax(
    weighed: Comparison,
) -> None:
    """6 % before tax are 4.5 %; the resale and its tax keep the project's 10 %."""

    def debt(day: int) -> float:
        return 1.045 ** (-day / 365)

    saved = sum(24 * 0.75 * debt(day) for day in range(DAYS))
    sold = resale() * 1.1 ** (-60 / 365) - 0.25 * resale() * 1.1 ** (-395 / 365)
    by_hand = 1000 - saved - 250 * debt(30) - sold
    found = find(after_tax_figures(weighed, QUARTER), "net_advantage_to_leasing")
    assert found.value is not None
    assert float(found.value) == pytest.approx(by_hand, rel=1e-12)
    assert found.note == "above 0: rent; contracted money at 4.50%, resale at 10.00%"


def test_the_derivation_can_be_done_again_and_names_the_rule(weighed: Comparison) -> None:
    figures = after_tax_figures(weighed, QUARTER)
    for figure in figures:
        for part in figure.walk():
            again = part.recomputed
            assert again is None or abs(again - (part.value or 0)) < D("1e-18"), part.name
    text = "\n".join(explain(figures[0]))
    assert "needs taxable profit, up to 1,000.00 CNY in a year" in text
    assert "Announcement 37 of 2023" in text


def test_a_rule_that_does_not_hold_is_refused(tmp_path: Path) -> None:
    dear = compare(one_card(tmp_path, "6000000"), EXACT)
    with pytest.raises(FinanceError, match="allows 5,000,000 CNY for a machine"):
        after_tax_figures(dear, QUARTER)


def test_a_rule_for_new_machines_is_refused_for_used_ones(weighed: Comparison) -> None:
    with pytest.raises(FinanceError, match="new and unused machines only"):
        after_tax_figures(weighed, TaxCase(D("0.25"), "uk-fe", used=True))


def test_a_rate_in_percent_is_refused() -> None:
    with pytest.raises(FinanceError, match=r"write 0.25 for 25 %"):
        TaxCase(D(25), "cn-one-off")


def test_with_nothing_to_compare_there_is_nothing_after_tax(tmp_path: Path) -> None:
    assert after_tax_figures(compare(one_card(tmp_path, buy=False), EXACT), QUARTER) == ()
