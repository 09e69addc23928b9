"""The dated data of finance: every row sourced, in its range, and nothing on that must be asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from optimizer.costs import HOST_POWER_W
from optimizer.finance.defaults import defaults, read_defaults, residual_curves
from optimizer.finance.presets import presets, vat_rates
from optimizer.finance.refusal import FinanceError
from optimizer.schedule.document import MoneyAssumptions
from providers.bundled import data_path
from providers.errors import DocumentError

MADE = date(2026, 11, 22)
HEADER = (
    "id,group,value,low,high,unit,currency,region,applied,observed_at,review_after,confidence,"
    "source,note\n"
)


def test_every_row_has_a_source_a_day_and_a_later_day_of_review() -> None:
    for row in [*defaults().values(), *residual_curves().values()]:
        assert row.source
        assert row.observed_at <= MADE < row.review_after
    for rule in [*presets().values(), *vat_rates().values()]:
        assert rule.source
        assert rule.checked_on <= MADE < rule.review_after


def test_every_published_figure_carries_a_range() -> None:
    for row in defaults().values():
        if row.group == "owning":
            assert row.low is not None
            assert row.high is not None
            assert row.low <= row.high


def test_nothing_of_tax_or_vat_is_on_by_default() -> None:
    taxes = [row for row in defaults().values() if row.group == "tax"]
    assert taxes
    assert not any(row.applied or row.value for row in taxes)
    assert defaults()["money.vat"].value == "ignore"


@pytest.mark.parametrize("id", [id for id in defaults() if id.startswith("money.")])
def test_a_default_of_the_schedule_is_what_the_schedule_takes(id: str) -> None:
    taken = getattr(MoneyAssumptions(), id.removeprefix("money."))
    row = defaults()[id]
    assert str(taken) == row.value or Decimal(str(taken)) == row.number


def test_the_host_power_is_what_costs_are_made_with() -> None:
    assert defaults()["host_power"].number == HOST_POWER_W


def test_china_united_states_germany_and_the_uk_have_rules() -> None:
    assert {rule.country for rule in presets().values()} == {"CN", "US", "DE", "UK"}
    assert {rate.rate for rate in vat_rates().values()} == {Decimal("0.06"), Decimal("0.13")}


def test_a_figure_that_must_be_given_is_never_a_number() -> None:
    with pytest.raises(FinanceError, match="has no default and must be given"):
        _ = defaults()["tax.rate.cn"].number
    with pytest.raises(FinanceError, match="'ignore', not a number"):
        _ = defaults()["money.vat"].number


def test_a_default_is_due_the_day_after_its_review() -> None:
    row = defaults()["owning.pue"]
    assert not row.is_due(row.review_after)
    assert row.is_due(date(2027, 10, 1))
    assert row.age_days(row.observed_at) == 0


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a,g,2,0,1,x,,,yes,2026-01-01,2027-01-01,B,s,", "2 is outside its range"),
        ("a,g,1,2,1,x,,,yes,2026-01-01,2027-01-01,B,s,", "low is above high"),
        ("a,g,1,,,x,,,yes,2026-01-01,2026-01-01,B,s,", "review_after is not after observed_at"),
        ("a,g,1,,,x,,,yes,2026-01-01,2027-01-01,B,,", "source is empty"),
        ("a,g,1,,,x,,,maybe,2026-01-01,2027-01-01,B,s,", "neither yes nor no"),
        ("a,g,x,0,1,x,,,yes,2026-01-01,2027-01-01,B,s,", "'x' is not a number"),
    ],
)
def test_a_faulty_row_is_refused_with_its_place(line: str, fault: str) -> None:
    with pytest.raises(DocumentError) as error:
        read_defaults(f"{HEADER}{line}\n".encode(), "mine.csv")
    assert fault in str(error.value)
    assert "mine.csv:2" in str(error.value)


def test_an_id_is_there_once() -> None:
    line = "a,g,1,,,x,,,yes,2026-01-01,2027-01-01,B,s,\n"
    with pytest.raises(DocumentError, match="'a' is there twice"):
        read_defaults(f"{HEADER}{line}{line}".encode(), "mine.csv")


def test_every_file_of_finance_is_named_in_the_index_of_sources() -> None:
    index = data_path("SOURCES.md").read_text(encoding="utf-8")
    for path in data_path("finance").iterdir():
        assert f"`finance/{path.name}`" in index
