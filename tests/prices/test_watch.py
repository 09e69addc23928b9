"""`rentopt watch`: the same schedule on new prices, and what it says of the difference."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import market
import pytest

from optimizer.watch import Point, Summary, compare, flipped
from providers.bundled import data_path
from providers.money import Money
from providers.store import open_store
from providers.terms import Tier

OLD = Summary(
    schedule="one week",
    schedule_sha256="0" * 64,
    as_of="2026-11-19",
    currency="CNY",
    npv=Decimal("1000"),
    rent_npv=Decimal("1000"),
    own_npv=None,
    bought=(),
    rented=(("acme", "1xH100"),),
    points=(Point("buy 2xRTX4090", Decimal("2.5"), Decimal("2.8"), Decimal("40000"), "CNY/h"),),
)


def texts(new):
    return [event.text for event in compare(OLD, new)]


def test_nothing_is_said_where_nothing_changed():
    assert compare(OLD, replace(OLD, as_of="2026-11-20")) == []
    assert compare(OLD, replace(OLD, npv=Decimal("1000.5"))) == []


def test_a_summary_survives_the_store():
    assert Summary.from_json(OLD.to_json()) == OLD


def test_a_dearer_plan_is_told_with_both_costs():
    assert texts(replace(OLD, npv=Decimal("1140"))) == [
        "the best plan costs 1,140 CNY, +14.0 % (was 1,000)"
    ]


def test_a_break_even_point_crossed_is_told_with_day_and_cause():
    point = replace(OLD.points[0], rent=Decimal("2.85"))
    events = compare(OLD, replace(OLD, as_of="2026-11-20", points=(point,)))
    assert [event.text for event in events] == [
        "buy 2xRTX4090 became cheaper than renting on 2026-11-20: rent rose 14 % "
        "(rent 2.85 CNY/h, it pays above 2.80)"
    ]
    assert flipped(events)


def test_a_cheaper_card_is_a_cause_too():
    point = replace(OLD.points[0], break_even=Decimal("2.4"), purchase=Decimal("30000"))
    [text] = texts(replace(OLD, points=(point,)))
    assert "its price fell 25 %" in text
    assert "rent " not in text.partition(":")[2].partition("(")[0]


def test_buying_something_else_flips_the_decision_and_says_what_it_saves():
    new = replace(OLD, bought=(("2xRTX4090", 3),), npv=Decimal("950"))
    events = compare(OLD, new)
    assert "the best plan is now to buy 3 2xRTX4090 (saves 5.00 % against renting all); " \
        "on 2026-11-19: buy nothing" in [event.text for event in events]  # fmt: skip
    assert flipped(events)


def test_another_seller_is_no_flip():
    events = compare(OLD, replace(OLD, rented=(("zeta", "1xH100"),)))
    assert [event.text for event in events] == [
        "the best plan now rents 1xH100 from zeta; no longer rents 1xH100 from acme"
    ]
    assert not flipped(events)


def test_a_changed_schedule_is_said_first():
    new = replace(OLD, schedule_sha256="1" * 64, npv=Decimal(2000))
    assert "not only prices" in texts(new)[0]


@pytest.fixture
def week(desk):
    path = desk.folder / "week.yaml"
    path.write_bytes(data_path("schedules", "tiny.yaml").read_bytes())
    return path


def quote(desk, price, day):
    """The only cheap seller of the card the week needs, on a day."""
    terms = {"tier": Tier.SPECIALIST, "gpu_count": 2, "max_gpus_per_host": 8, "region": "cn"}
    offer = replace(
        market.offer("RTX-4090", "1", "RTX4090", observed_at=day, **terms),
        price=Money(Decimal(price), "CNY"),
        upfront=Money(Decimal(0), "CNY"),
    )
    with open_store(desk.store) as store:
        moment = market.FIRST.replace(year=day.year, month=day.month, day=day.day)
        made = market.ProviderTable("acme", moment, market.table(0).snapshots, (offer,), ())
        store.publish(made, started_at=moment)


def watched(desk, week, *arguments):
    return desk.run("watch", str(week), *arguments, "--store", str(desk.store))


def test_watching_remembers_the_first_plan_and_tells_what_new_prices_do(desk, week):
    quote(desk, "1.00", date(2026, 11, 18))
    first = watched(desk, week, "--as-of", "2026-11-18")
    assert first.exit_code == 0, first.output
    assert "first plan, remembered" in first.stdout
    again = watched(desk, week, "--as-of", "2026-11-18")
    assert "nothing changed" in again.stdout
    quote(desk, "0.60", date(2026, 11, 20))
    cheaper = watched(desk, week, "--as-of", "2026-11-20", "--format", "json")
    [row] = json.loads(cheaper.stdout)
    assert [event["kind"] for event in row["events"]] == ["cost"]
    assert "-" in row["events"][0]["text"]
    kept = watched(desk, week, "--history", "--format", "json")
    assert [r["as_of"] for r in json.loads(kept.stdout)] == ["2026-11-18"] * 2 + ["2026-11-20"]


def test_a_flipped_decision_has_its_exit_code_and_reaches_the_webhook(desk, week):
    quote(desk, "1.00", date(2026, 11, 18))
    watched(desk, week, "--as-of", "2026-11-18")
    with open_store(desk.store) as store:
        [known] = store.decisions("one week")
        old = Summary.from_json(known.summary)
        bought = replace(old, bought=(("2xRTX4090", 1),))
        later = known.made_at + timedelta(seconds=1)
        store.record_decision(replace(known, made_at=later, summary=bought.to_json()))
    hook = desk.hook()
    desk.settings(f'[notify]\nwebhook = "{hook.base}/"')
    done = watched(desk, week, "--as-of", "2026-11-18")
    assert done.exit_code == 9
    told = hook.requests[0].json
    assert (told["event"], told["flipped"]) == ("decision", True)
    assert "the best plan is now to buy nothing" in told["text"]


def test_two_schedules_of_one_name_are_refused(desk, week):
    twin = desk.folder / "twin.yaml"
    twin.write_bytes(week.read_bytes())
    done = desk.run("watch", str(week), str(twin), "--store", str(desk.store))
    assert "two schedules are called 'one week'" in str(done.exception)


def test_a_schedule_without_a_plan_is_told_and_the_others_go_on(desk, week):
    hopeless = desk.folder / "hopeless.yaml"
    text = week.read_text().replace("one week", "hopeless").replace("[cn]", "[mars]")
    hopeless.write_text(text)
    done = desk.run("watch", str(hopeless), str(week), "--store", str(desk.store))
    assert "hopeless: no plan exists any more: " in done.stdout
    assert "one week: first plan, remembered" in done.stdout
    assert done.exit_code == 3
