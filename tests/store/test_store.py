"""What the price store promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from tables import START, day, offer, prices, table

from providers.fx import Rate
from providers.money import Money
from providers.offers import Rejected
from providers.store import Decision, PriceStore, Published, StoreError, open_store
from providers.terms import Increment, PurchaseModel, Tenor


def publish(store: PriceStore, number: float, found: dict[str, str], **other: str) -> Published:
    at = day(number)
    return store.publish(table(at, found, **other), started_at=at, now=at)


def on(store: PriceStore, number: float, known: float | None = None) -> dict[str, str]:
    """Prices by sku on a day, as known on another."""
    known_at = None if known is None else day(known)
    return prices(store.offers(as_of=day(number), known_at=known_at).get("north", []))


def test_an_empty_store_has_no_prices(store: PriceStore) -> None:
    assert store.offers(as_of=START) == {}
    assert store.runs() == store.status() == store.quarantined() == store.history() == []
    assert store.fx_table() is None
    assert store.check() == []


def test_the_same_table_again_adds_no_version(store: PriceStore) -> None:
    first = publish(store, 0, {"a": "1.5", "b": "2"})
    again = publish(store, 1, {"a": "1.50", "b": "2"})
    assert first == Published(1, added=2, changed=0, vanished=0, unchanged=0)
    assert again == Published(2, added=0, changed=0, vanished=0, unchanged=2)
    assert len(store.history()) == 2
    assert store.check() == []


def test_a_price_confirmed_last_night_is_as_old_as_that_night(store: PriceStore) -> None:
    for number in range(4):
        publish(store, number, {"a": "1.5"})
    seen = {
        number: store.offers(as_of=day(number) + timedelta(hours=5))["north"][0].observed_at
        for number in range(4)
    }
    assert seen == {number: day(number).date() for number in range(4)}
    then = store.offers(as_of=day(3), known_at=day(1))["north"][0].observed_at
    assert then == day(1).date()


def test_a_price_between_two_changes_is_the_earlier_one(store: PriceStore) -> None:
    publish(store, 0, {"a": "1"})
    publish(store, 10, {"a": "2"})
    assert [on(store, n)["a"] for n in (0, 5, 9.999, 10, 11)] == ["1", "1", "1", "2", "2"]
    assert store.offers(as_of=day(-0.001)) == {}


def test_an_offer_that_vanishes_ends_and_may_come_back(store: PriceStore) -> None:
    publish(store, 0, {"a": "1", "b": "5"})
    assert publish(store, 1, {"b": "5"}).vanished == 1
    assert publish(store, 2, {"b": "5"}).vanished == 0
    assert publish(store, 3, {"a": "1", "b": "5"}).added == 1
    listed = [on(store, n) for n in range(4)]
    assert [("a" in found, found["b"]) for found in listed] == [
        (True, "5"), (False, "5"), (False, "5"), (True, "5"),
    ]  # fmt: skip
    assert [change.vanished for change in store.history(sku="a")] == [False, True, False]
    assert store.check() == []


def test_a_table_of_nothing_ends_every_offer(store: PriceStore) -> None:
    publish(store, 0, {"a": "1", "b": "2"})
    assert publish(store, 1, {}).vanished == 2
    assert store.offers(as_of=day(1)) == {"north": []}
    assert store.check() == []


def test_a_back_fill_changes_the_past_only_for_those_who_know_of_it(store: PriceStore) -> None:
    publish(store, 10, {"a": "3", "b": "9"})
    publish(store, 20, {"a": "3", "b": "9"})
    old = [offer("a", "7", seen=day(15).date()), offer("c", "1", seen=day(15).date())]
    done = store.import_offers("north", old, valid_from=day(15), now=day(30), note="from a mail")
    assert (done.added, done.changed, done.vanished) == (1, 1, 1)
    assert on(store, 16, known=29) == {"a": "3", "b": "9"}
    assert on(store, 16, known=30) == on(store, 16) == {"a": "7", "c": "1"}
    for known in (25, 30, None):
        assert on(store, 20, known) == on(store, 25, known) == {"a": "3", "b": "9"}
        assert on(store, 12, known) == {"a": "3", "b": "9"}
    assert store.runs()[0].status == "imported"
    assert store.check() == []


def test_prices_from_before_the_first_refresh_can_be_added(store: PriceStore) -> None:
    publish(store, 100, {"a": "3"})
    store.import_offers(
        "north", [offer("a", "5", seen=day(1).date())], valid_from=day(1), now=day(101), note=""
    )
    assert (on(store, 50), on(store, 50, known=100), on(store, 100)) == ({"a": "5"}, {}, {"a": "3"})
    assert [change.price.amount for change in store.history()] == [Decimal(5), Decimal(3)]


def test_two_tables_of_one_moment_leave_the_later_one(store: PriceStore) -> None:
    at = day(0)
    store.publish(table(at, {"a": "1", "b": "1"}), started_at=at, now=day(1))
    store.publish(table(at, {"a": "2"}), started_at=at, now=day(2))
    assert (on(store, 0, known=1), on(store, 0)) == ({"a": "1", "b": "1"}, {"a": "2"})
    assert store.check() == []


def test_a_clock_that_was_set_back_changes_no_order(store: PriceStore) -> None:
    store.publish(table(day(0), {"a": "1"}), started_at=day(0), now=day(5))
    store.publish(table(day(1), {"a": "2"}), started_at=day(1), now=day(1))
    assert [run.known_at for run in store.runs()] == [day(5), day(5)]
    assert on(store, 1) == {"a": "2"}
    assert store.check() == []


def test_two_sources_may_have_the_same_sku(store: PriceStore) -> None:
    publish(store, 0, {"a": "1"}, adapter="north")
    publish(store, 0, {"a": "2"}, adapter="south")
    publish(store, 1, {}, adapter="north")
    found = store.offers(as_of=day(2))
    assert {name: prices(offers) for name, offers in found.items()} == {
        "north": {},
        "south": {"a": "2"},
    }
    assert list(store.offers(as_of=day(2), adapters=["south", "nobody"])) == ["south"]


def test_every_field_comes_back_as_it_was_given(store: PriceStore) -> None:
    given = [
        offer("a", "0.1234567890123456789012345678901", note="with words; 'quoted' ünïcödé 按量"),
        offer("b", "1E+3", tax_included=None, max_units=3, min_units=2,
              valid_until=date(2027, 1, 1)),
        offer("c", "0", upfront=Money(Decimal("99000.10"), "USD"), tax_included=True,
              purchase_model=PurchaseModel.RESERVED, tenor=Tenor(months=36)),
        offer("d", "7", tenor=Tenor(days=7), increment=Increment.WEEK, vcpu=None, ram_gb=None),
        offer("e", "7", currency="CNY", confidence="B", max_units=10**12),
    ]  # fmt: skip
    store.publish(table(START, given), started_at=START, now=START)
    assert store.offers(as_of=START)["north"] == given
    back = store.offers(as_of=START)["north"]
    assert [str(o.price.amount) for o in back] == [str(o.price.amount) for o in given]
    assert [type(o.tax_included) for o in back] == [type(o.tax_included) for o in given]


@pytest.mark.parametrize(
    "other",
    [
        {"note": "reserved for students"},
        {"tax_included": None},
        {"max_units": 4},
        {"valid_until": date(2027, 1, 1)},
        {"gpu": "H100-PCIE-80GB"},
        {"region": "eu-2"},
        {"upfront": Money(Decimal(10), "USD")},
        {"vcpu": None},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_change_of_terms_is_a_change_as_much_as_one_of_price(
    store: PriceStore, other: dict[str, object]
) -> None:
    before, after = offer("a", seen=day(0).date()), offer("a", seen=day(1).date(), **other)
    store.publish(table(day(0), [before]), started_at=day(0), now=day(0))
    assert store.publish(table(day(1), [after]), started_at=day(1), now=day(1)).changed == 1
    assert store.offers(as_of=day(0))["north"] == [before]
    assert store.offers(as_of=day(1))["north"] == [after]
    # Back to the first terms, which are not written a second time.
    store.publish(table(day(2), [before]), started_at=day(2), now=day(2))
    assert replace(store.offers(as_of=day(2))["north"][0], observed_at=before.observed_at) == before
    assert store.check() == []


def test_another_page_of_the_same_listing_is_no_change(store: PriceStore) -> None:
    def page(number: int, price: str) -> Published:
        at = day(number)
        found = offer("a", price, seen=at.date(), source=f"https://north.example?page={number}")
        return store.publish(table(at, [found]), started_at=at, now=at)

    page(0, "1")
    assert page(1, "1").unchanged == 1
    page(2, "5")
    read_at = [store.offers(as_of=day(number))["north"][0].source for number in range(3)]
    assert [address[-1] for address in read_at] == ["0", "0", "2"]


def test_a_price_list_that_dates_itself_is_not_made_younger_by_reading_it(
    store: PriceStore,
) -> None:
    listed = offer("a", seen=date(2025, 12, 24))
    for number in range(3):
        store.publish(table(day(number), [listed]), started_at=day(number), now=day(number))
    assert store.offers(as_of=day(9))["north"] == [listed]
    assert len(store.history()) == 1


def test_a_visit_that_runs_past_midnight_saw_every_price(store: PriceStore) -> None:
    for number in range(2):
        at = datetime(2026, 3, 1 + number, 23, 59, tzinfo=UTC)
        late = offer("a", seen=at.date() + timedelta(days=1))
        store.publish(table(at, [late]), started_at=at, now=at)
    assert len(store.history()) == 1


def test_moments_of_other_time_zones_are_the_same_moments(store: PriceStore) -> None:
    shanghai = timezone(timedelta(hours=8))
    at = datetime(2026, 3, 2, 1, 0, tzinfo=shanghai)  # still the 1st in UTC
    store.publish(table(at, {"a": "1"}), started_at=at, now=at)
    (found,) = store.offers(as_of=datetime(2026, 3, 1, 17, 0, tzinfo=UTC))["north"]
    assert found.observed_at == date(2026, 3, 2)
    assert store.offers(as_of=datetime(2026, 3, 1, 16, 59, tzinfo=UTC)) == {}
    with pytest.raises(ValueError, match="time zone"):
        store.offers(as_of=datetime(2026, 3, 1))


def test_a_table_with_an_sku_twice_is_refused(store: PriceStore) -> None:
    twice = table(day(0), [offer("a", "1"), offer("a", "2")])
    with pytest.raises(StoreError, match="north: the table has sku 'a' twice"):
        store.publish(twice, started_at=day(0))
    assert store.runs() == []


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_a_text_that_no_database_takes_is_refused_by_name_in_an_offer(
    store: PriceStore, odd: str
) -> None:
    with pytest.raises(StoreError, match="sku 'bad' has characters"):
        store.publish(table(day(0), [offer("a"), offer("bad", note=odd)]), started_at=day(0))
    assert store.runs() == []


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_a_text_that_no_database_takes_loses_no_rejected_row_and_no_error(
    store: PriceStore, odd: str
) -> None:
    row = Rejected(f"r{odd}", f"name is '{odd}'", "https://north.example")
    run = store.publish(table(day(0), {}, rejected=(row,)), started_at=day(0)).run_id
    assert store.rejected(run) == [row]
    store.record_failure("north", f"it says '{odd}'", started_at=day(1))
    assert store.status()[0].last_error.startswith("it says '")


def test_the_run_tells_what_was_found_and_what_was_rejected(store: PriceStore) -> None:
    no = Rejected("n2", "no price", "https://north.example/prices")
    gated = Rejected("n3", "300 USD an hour is not plausible")
    found = table(day(0), {"a": "1"}, rejected=(no,))
    done = store.publish(found, started_at=day(-1), now=day(1), held_back=[gated], note="two pages")
    (run,) = store.runs()
    assert run.id == done.run_id
    assert (run.adapter, run.status, run.note) == ("north", "published", "two pages")
    assert (run.started_at, run.observed_at, run.known_at) == (day(-1), day(0), day(1))
    assert (run.n_offers, run.n_rejected, run.added, run.changed, run.vanished) == (1, 2, 1, 0, 0)
    assert store.rejected(run.id) == [no, gated]
    with pytest.raises(StoreError, match="no run 7"):
        store.rejected(7)


def test_runs_come_newest_first_and_as_many_as_asked_for(store: PriceStore) -> None:
    for number in range(4):
        publish(store, number, {"a": "1"}, adapter="south" if number == 1 else "north")
    assert [run.id for run in store.runs()] == [4, 3, 2, 1]
    assert [run.id for run in store.runs("north", limit=2)] == [4, 3]


def test_answers_come_back_byte_for_byte_and_are_kept_once(store: PriceStore) -> None:
    body = bytes(range(256)) * 500
    one = table(day(0), {"a": "1"}, body=body)
    two = table(day(1), {"a": "1"}, body=body)
    runs = [store.publish(t, started_at=t.observed_at).run_id for t in (one, two)]
    assert list(store.snapshots(runs[0])) == list(one.snapshots)
    assert list(store.snapshots(runs[1])) == list(two.snapshots)
    hashes = {run.snapshot_ids for run in store.runs()}
    assert len(hashes) == 1
    assert all(len(sha256) == 64 for sha256 in hashes.pop())


def test_the_runs_behind_a_day_are_those_whose_tables_it_has(store: PriceStore) -> None:
    publish(store, 0, {"a": "1"})
    publish(store, 0, {"a": "1"}, adapter="south")
    publish(store, 5, {"a": "2"})
    store.record_failure("north", "time-out", started_at=day(6), now=day(6))
    assert [run.id for run in store.runs_behind(as_of=day(4))] == [1, 2]
    behind = store.runs_behind(as_of=day(9))
    assert [(run.adapter, run.id) for run in behind] == [("north", 3), ("south", 2)]
    assert all(run.snapshot_ids for run in behind)
    assert [run.id for run in store.runs_behind(as_of=day(9), known_at=day(4))] == [1, 2]


def test_a_quarantined_table_is_kept_whole_and_seen_by_nobody(store: PriceStore) -> None:
    publish(store, 0, {"a": "1", "b": "1"})
    no = Rejected("n2", "no price", "https://north.example/prices")
    odd = table(day(1), [offer("a", "90", note="ünïcödé", seen=day(1).date())], rejected=(no,))
    number = store.quarantine(odd, ["1 offer, 2 before", "a rose 90-fold"], started_at=day(1))
    assert on(store, 2) == {"a": "1", "b": "1"}
    (waiting,) = store.quarantined()
    assert waiting.run.id == number
    assert waiting.findings == ("1 offer, 2 before", "a rose 90-fold")
    assert store.held_offers(number) == list(odd.offers)
    assert list(store.snapshots(number)) == list(odd.snapshots)
    assert store.status()[0].quarantined == waiting.run
    done = store.release("north", now=day(3))
    assert (done.changed, done.vanished) == (1, 1)
    assert store.offers(as_of=day(1))["north"] == list(odd.offers)
    assert on(store, 1, known=2) == {"a": "1", "b": "1"}
    assert list(store.snapshots(done.run_id)) == list(odd.snapshots)
    assert store.rejected(done.run_id) == [no]
    assert store.runs()[0].status == "released"
    assert store.quarantined() == []
    with pytest.raises(StoreError, match="no quarantined table of north"):
        store.release("north")
    assert store.check() == []


def test_a_quarantined_table_waits_until_a_newer_one_is_published(store: PriceStore) -> None:
    for number in (1, 2):
        odd = table(day(number), {"a": f"{number}00"})
        store.quarantine(odd, ["dear"], started_at=day(number), now=day(number))
    assert [held.run.id for held in store.quarantined()] == [2, 1]
    publish(store, 1.5, {"a": "1"})
    assert [held.run.id for held in store.quarantined()] == [2]
    publish(store, 3, {"a": "1"})
    assert store.quarantined() == []
    with pytest.raises(StoreError, match="no quarantined table"):
        store.release("north")
    with pytest.raises(StoreError, match="run 3 of north was not quarantined"):
        store.held_offers(3)


def test_status_tells_failures_since_the_last_table(store: PriceStore) -> None:
    store.record_failure("south", "no route", started_at=day(0), now=day(0))
    publish(store, 0, {"a": "1"})
    for number in (1, 2):
        store.record_failure("north", f"time-out {number}", started_at=day(number))
    north, south = store.status()
    assert north.last_published is not None
    assert (north.last_published.id, north.consecutive_failures) == (2, 2)
    assert north.last_error == "time-out 2"
    assert south.last_published is None
    assert (south.consecutive_failures, south.last_error) == (1, "no route")
    publish(store, 3, {"a": "1"})
    store.import_offers("north", [], valid_from=day(-9), note="older")
    north = store.status()[0]
    assert (north.consecutive_failures, north.last_error) == (0, "")
    assert north.last_attempt == north.last_published == store.runs("north")[1]


def test_history_is_found_by_gpu_sku_source_and_time(store: PriceStore) -> None:
    pcie = {"gpu": "H100-PCIE-80GB"}
    for number, price in ((0, "1"), (2, "1"), (4, "2"), (6, "3")):
        at = day(number)
        seen = at.date()
        offers = [
            offer("a", price, seen=seen),
            offer("b", price, seen=seen, **pcie),
            offer("still", "9", seen=seen),
        ]
        store.publish(table(at, offers), started_at=at, now=at)
    publish(store, 6, {"a": "8"}, adapter="south")

    def told(**which: object) -> list[tuple[str, str, str]]:
        found = store.history(**which)  # type: ignore[arg-type]
        return [(c.adapter, c.sku, str(c.price.amount)) for c in found]

    assert told(sku="a", adapter="north") == [("north", "a", p) for p in ("1", "2", "3")]
    assert told(gpu=["H100-PCIE-80GB"]) == [("north", "b", p) for p in ("1", "2", "3")]
    assert told(adapter="south") == [("south", "a", "8")]
    since = told(adapter="north", since=day(4.5), until=day(6))
    assert since == [("north", "a", "2"), ("north", "b", "2"), ("north", "still", "9")]
    change = store.history(sku="a", adapter="north")[1]
    assert (change.valid_from, change.known_at, change.run_id) == (day(4), day(4), 3)
    assert (change.currency, change.upfront.amount, change.vanished) == ("USD", 0, False)
    assert change.offer.observed_at == day(4).date()


def test_history_keeps_the_last_terms_of_what_vanished(store: PriceStore) -> None:
    publish(store, 0, {"a": "1.25"})
    publish(store, 1, {})
    last = store.history(gpu=["H100-SXM-80GB"])[-1]
    assert last.vanished
    assert (last.price, last.valid_from) == (Money(Decimal("1.25"), "USD"), day(1))


def test_pruning_empties_old_answers_and_keeps_their_hashes(store: PriceStore) -> None:
    for number in range(5):
        publish(store, number, {"a": "1"})
    publish(store, 0, {"a": "1"}, adapter="seldom")
    hashes = [run.snapshot_ids for run in store.runs()]
    # The first answer is also the newest of a source that is seldom asked.
    assert store.prune_snapshots(2, now=day(4.5)) == 2
    assert [run.snapshot_ids for run in store.runs()] == hashes
    assert [len(list(store.snapshots(run))) for run in (1, 4, 5, 6)] == [1, 1, 1, 1]
    with pytest.raises(StoreError, match="was pruned"):
        list(store.snapshots(2))
    assert store.prune_snapshots(2, now=day(4.5)) == 0
    assert store.prune_snapshots(0, now=day(999)) == 1
    assert [len(list(store.snapshots(run))) for run in (1, 5)] == [1, 1]
    assert store.check() == []
    again = table(day(2), {"a": "1"})
    store.publish(again, started_at=day(9), now=day(9))
    assert list(store.snapshots(3)) == list(again.snapshots)


def test_pruning_keeps_a_table_that_waits_for_its_release(store: PriceStore) -> None:
    publish(store, 0, {"a": "1"})
    held = store.quarantine(table(day(1), {"a": "9"}), ["dear"], started_at=day(1), now=day(1))
    assert store.prune_snapshots(0, now=day(500)) == 0
    assert list(store.snapshots(held))


def rate(on: date, currency: str, value: str, source: str = "ECB") -> Rate:
    return Rate("EUR", currency, Decimal(value), on, source)


def test_rates_are_added_where_they_are_new_or_changed(store: PriceStore) -> None:
    first, second = date(2026, 3, 2), date(2026, 3, 3)
    rates = [rate(first, "USD", "1.10"), rate(first, "CNY", "7.9"), rate(second, "USD", "1.2")]
    assert store.add_rates(rates, now=day(1)) == 3
    assert store.add_rates(rates, now=day(2)) == 0
    assert store.add_rates([rate(first, "USD", "1.11")], now=day(3)) == 1
    assert store.add_rates([rate(first, "USD", "1.12", "Frankfurter")], now=day(3)) == 1
    now, then = store.fx_table(), store.fx_table(known_at=day(2))
    assert now is not None
    assert then is not None
    assert now.per_pivot[first] == {"USD": Decimal("1.12"), "CNY": Decimal("7.9")}
    assert then.per_pivot[first]["USD"] == Decimal("1.10")
    assert then.rate("USD", "EUR", second).value == 1 / Decimal("1.2")
    assert (then.source, now.source) == ("ECB", "ECB; Frankfurter")
    assert store.fx_table(known_at=day(0)) is None
    with pytest.raises(ValueError, match="one EUR"):
        store.add_rates([Rate("USD", "CNY", Decimal(7), first, "ECB")])
    assert store.check() == []


def test_decisions_are_remembered_by_schedule(store: PriceStore) -> None:
    def made(schedule: str, total: str) -> Decision:
        return Decision(
            schedule, "ab" * 32, day(1), day(0), (3, 4), "CNY", Decimal(total), '{"x":1}'
        )

    numbers = [
        store.record_decision(made(*each)) for each in (("s", "10.50"), ("t", "1"), ("s", "9"))
    ]
    assert numbers == [1, 2, 3]
    assert store.decisions("s") == [made("s", "10.50"), made("s", "9")]
    assert store.decisions("u") == []


def test_a_store_open_for_reading_only_writes_nothing(url: str, store: PriceStore) -> None:
    publish(store, 0, {"a": "1"})
    with open_store(url, read_only=True) as reader:
        assert on(reader, 0) == {"a": "1"}
        with pytest.raises(StoreError, match="for reading only"):
            publish(reader, 1, {"a": "2"})
        assert reader.check() == []


def test_a_second_opening_finds_what_the_first_wrote(url: str) -> None:
    for number in range(3):
        with open_store(url) as store:
            publish(store, number, {"a": str(number + 1)})
    with open_store(url, create=False) as store:
        assert [run.id for run in store.runs()] == [3, 2, 1]
        assert on(store, 2) == {"a": "3"}


def test_room_can_be_given_back_and_size_told(store: PriceStore) -> None:
    import random

    noise = random.Random(1).randbytes(2_000_000)
    first = table(day(0), {"a": "1"}, body=noise)
    store.publish(first, started_at=day(0), now=day(0))
    publish(store, 1, {"a": "1"})
    full = store.size_bytes()
    assert store.prune_snapshots(0, now=day(9)) == 1
    store.vacuum()
    assert full > 2_000_000
    assert on(store, 1) == {"a": "1"}


def test_many_offers_come_and_go_at_once(store: PriceStore) -> None:
    many = {f"s{number:05}": "1.5" for number in range(12_000)}
    assert publish(store, 0, many).added == 12_000
    half = dict.fromkeys(list(many)[:6000], "1.5")
    assert publish(store, 1, half).vanished == 6_000
    assert publish(store, 2, many).added == 6_000
    assert [len(on(store, number)) for number in range(3)] == [12_000, 6_000, 12_000]
    assert store.check() == []


def test_every_method_of_a_fresh_place_is_one_store(fresh_url: Callable[[], str]) -> None:
    one, two = open_store(fresh_url()), open_store(fresh_url())
    with one, two:
        publish(one, 0, {"a": "1"})
        assert two.runs() == []
