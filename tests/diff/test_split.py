"""A change of cost by cause: right by hand, each cause alone where it is, always adding up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest
from two_plans import difference, made

from optimizer.diff.results import WIDE, Cause, added
from optimizer.errors import VerifyError
from optimizer.wishes import Wishes
from providers.errors import RentoptError

D = Decimal
HOURS = 60 * 24


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """Name → a plan with one thing or several changed."""
    folder = tmp_path_factory.mktemp("plans")
    changes = {
        "plain": {},
        "dearer": {"own": "2.5 CNY"},
        "dollars": {"FX": "6.5", "other": "0.2 USD"},
        "dollars-later": {"FX": "7.5", "other": "0.2 USD"},
        "bought": {"PRICE": "1000"},
        "bought-dearer": {"PRICE": "1100"},
        "power": {"PRICE": "1000", "KWH": "1.25"},
        "interest": {"PRICE": "1000", "RATE": "5"},
        "more-users": {"USERS": "2"},
        "longer": {"DAYS": "70"},
        "everything": {"USERS": "2", "own": "2.2 CNY", "KWH": "0.5", "FX": "6", "PRICE": "1300"},
        "a-rival": {"other": "0.1 USD"},
        "no-rival": {"other": ""},
    }
    found = {name: made(folder, name, **changed) for name, changed in changes.items()}
    found["other-wish"] = made(folder, "other-wish", Wishes(without=("own",)))
    return found


def causes(found):
    return {part.cause: part.amount.total for part in found.parts if part.amount}


def item(found, cause):
    (part,) = [part for part in found.parts if part.cause is cause]
    return part.items[0]


def test_only_a_price_changes_and_only_a_price_is_named(plans):
    found = difference(plans["plain"], plans["dearer"])
    assert causes(found) == {Cause.PRICE: D("0.5") * HOURS}
    assert item(found, Cause.PRICE).name == "own/card/hour"
    assert item(found, Cause.PRICE).before.startswith("2 CNY/hour")
    assert item(found, Cause.PRICE).after.startswith("2.5 CNY/hour")


def test_only_an_exchange_rate_changes(plans):
    found = difference(plans["dollars"], plans["dollars-later"])
    assert causes(found) == {Cause.FX: D("0.2") * HOURS}
    assert (item(found, Cause.FX).name, item(found, Cause.FX).after) == ("USD/CNY", "7.5")


def test_a_dearer_machine_is_a_price_and_not_its_resale_apart(plans):
    """Half of the price is left after two months of 30.4 days; the plan keeps the card."""
    found = difference(plans["bought"], plans["bought-dearer"])
    resale = 1 - D("0.5") * (D(60) / (D(365) / 12)) / 2
    assert list(causes(found)) == [Cause.PRICE]
    assert abs(causes(found)[Cause.PRICE] - 100 * (1 - resale)) < D("1e-20")
    assert item(found, Cause.PRICE).name == "hardware.buy.1xRTX4090.price"


def test_only_an_assumption_changes(plans):
    found = difference(plans["bought"], plans["power"])
    assert causes(found) == {Cause.ASSUMPTION: D("0.25") * HOURS}
    assert item(found, Cause.ASSUMPTION).name == "money.electricity"


def test_a_discount_rate_changes_the_present_value_alone(plans):
    found = difference(plans["bought"], plans["interest"])
    (part,) = [part for part in found.parts if part.amount]
    assert part.cause is Cause.ASSUMPTION
    assert part.amount.total == 0
    assert part.amount.present_value == found.amount.present_value != 0
    assert part.items[0].name == "money.discount_rate"


def test_only_the_work_changes_and_the_workload_is_named_with_what_changed_in_it(plans):
    found = difference(plans["plain"], plans["more-users"])
    assert causes(found) == {Cause.SCHEDULE: D(2) * HOURS}
    (part,) = [part for part in found.parts if part.cause is Cause.SCHEDULE]
    assert [one.name for one in part.items] == ["chat"]
    assert part.notes == ("workloads.chat.phases.0.users: 1 → 2",)


def test_a_longer_schedule_is_the_schedule_s(plans):
    found = difference(plans["plain"], plans["longer"])
    assert causes(found) == {Cause.SCHEDULE: D(2) * 24 * 10}
    (part,) = [part for part in found.parts if part.cause is Cause.SCHEDULE]
    assert "horizon.days: 60 → 70" in part.notes


def test_another_decision_at_the_same_prices_is_the_optimiser_s(plans):
    found = difference(plans["plain"], plans["other-wish"])
    assert causes(found) == {Cause.OPTIMISER: (D("2.8") - 2) * HOURS}
    names = {one.name for one in found.parts[3].items}
    assert names == {"rent, own/card/hour", "rent, other/card/hour"}


def test_a_rival_that_became_cheaper_is_taken_up_by_the_optimiser(plans):
    """The first plan never rented there: its bill does not change, the decision does."""
    found = difference(plans["plain"], plans["a-rival"])
    assert causes(found) == {Cause.OPTIMISER: (D("0.7") - 2) * HOURS}


def test_an_offer_that_is_gone_keeps_its_price_until_something_else_is_decided(plans):
    found = difference(plans["a-rival"], plans["no-rival"])
    assert causes(found) == {Cause.OPTIMISER: (2 - D("0.7")) * HOURS}


def test_work_and_prices_together_are_told_apart_by_one_more_plan(plans):
    """Twice the users, at 2.2: 0.2 more on one card is the price, a second card the work."""
    found = difference(plans["plain"], plans["everything"])
    assert causes(found)[Cause.PRICE] == D("0.2") * HOURS
    assert set(causes(found)) >= {Cause.PRICE, Cause.SCHEDULE}


@pytest.mark.parametrize(
    ("one", "other"),
    list(permutations(["plain", "dollars", "bought", "power", "longer", "everything"], 2)),
)
def test_parts_and_their_items_add_up_exactly(plans, one, other):
    found = difference(plans[one], plans[other])
    assert [part.cause for part in found.parts] == list(Cause)
    assert added(part.amount for part in found.parts) == found.amount
    for part in found.parts:
        if part.items:
            assert _sum(x.total for x in part.items) == part.amount.total, part.cause
        values = [x.present_value for x in part.items]
        if values and None not in values:
            assert _sum(values) == part.amount.present_value, part.cause
    assert abs(found.before.amount.present_value - D(plans[one].body["npv"])) < D("1e-15")
    assert abs(found.after.amount.total - D(plans[other].body["total"])) < D("1e-15")


def _sum(amounts):
    whole = D(0)
    for amount in amounts:
        whole = WIDE.add(whole, amount)
    return whole


@pytest.mark.parametrize("name", ["plain", "bought", "everything"])
def test_a_plan_and_itself_differ_in_nothing(plans, name):
    found = difference(plans[name], plans[name])
    assert not found.amount
    assert not any(part.amount or part.items or part.notes for part in found.parts)


def test_back_again_is_the_opposite(plans):
    there = difference(plans["plain"], plans["everything"]).amount
    back = difference(plans["everything"], plans["plain"]).amount
    assert there.total == -back.total
    assert there.present_value == -back.present_value


def test_a_plan_that_does_not_hold_is_refused(plans):
    body = plans["plain"].body | {"total": "1"}
    with pytest.raises(VerifyError, match=r"odd\.json does not hold"):
        difference(replace(plans["plain"], body=body, file="odd.json"), plans["dearer"])


def test_plans_in_two_currencies_are_refused(plans):
    dollars = plans["plain"].schedule.document.model_copy(update={"currency": "USD"})
    other = replace(plans["plain"], schedule=replace(plans["plain"].schedule, document=dollars))
    with pytest.raises(RentoptError, match=r"is in CNY and plain\.json in USD"):
        difference(plans["plain"], other)
