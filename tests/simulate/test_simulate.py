"""Ways of deciding over made-up prices of the past: what must hold for every one of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import jsonschema
import pytest
from markets import FIRST, history, offer, priced, schedule, write_history
from small import EXACT

from optimizer.api import plan
from optimizer.milp.anytime import Watch
from optimizer.report.simulation import simulation_text
from optimizer.report.simulation_document import simulation_json, simulation_schema_text
from optimizer.report.tables import TableFormat
from optimizer.simulate.foresight import foresee
from optimizer.simulate.history import History, HistoryError, recorded_history
from optimizer.simulate.rules import demand_of, spot_row, term_rows
from optimizer.simulate.run import bought_at_start, follow, on_demand
from optimizer.simulate.study import NOT_FOLLOWED, ON_DEMAND, TOOL, Study, simulate
from optimizer.simulate.window import WindowError, moved
from providers.errors import DocumentError
from providers.offers import Offer

NEARLY = Decimal("1.000001")
SCHEMA = json.loads(simulation_schema_text())


@pytest.fixture(scope="module", params=[(14, 1), (21, 2), (24, 8)])
def study(request):
    days, seed = request.param
    return simulate(schedule(days), history(seed, days), 7, EXACT)


def test_nothing_costs_less_than_perfect_foresight(study) -> None:
    assert study.least is not None
    for row in study.rows:
        if row.present_value is not None:
            assert row.present_value * NEARLY >= study.least.bound, row.strategy


def test_stopped_at_any_step_only_what_was_followed_to_the_end_is_told() -> None:
    def stopped_at(number: int) -> tuple[Study, list[str]]:
        watch, steps = Watch(), list[str]()

        def progress(step: str) -> None:
            steps.append(step)
            if len(steps) == number:
                watch.stop()

        options = replace(EXACT, watch=watch)
        return simulate(schedule(10), history(5, 10), 5, options, progress=progress), steps

    whole, steps = stopped_at(0)
    assert not whole.stopped_early
    known = {row.strategy: row for row in whole.rows}
    finished = []
    for number in range(1, len(steps) + 1):
        early, _ = stopped_at(number)
        assert early.stopped_early
        assert "stopped early" in simulation_text(early, TableFormat.TABLE)
        jsonschema.validate(json.loads(simulation_json(early)), SCHEMA)
        told = [row for row in early.rows if row.note != NOT_FOLLOWED]
        assert told == [known[row.strategy] for row in told]
        finished.append(len(told))
    assert finished == sorted(finished)
    assert finished[0] == 0
    assert finished[-1] == len(whole.rows)


def test_the_notes_say_how_much_of_a_past_the_prices_are() -> None:
    same = priced(offer("hour", 1), 2, FIRST)
    new = priced(offer("new", 1), 1, FIRST + timedelta(2))

    def notes(*days: list[Offer]) -> tuple[str, ...]:
        books = tuple(replace(history(1, 1).books[0], offers=tuple(offers)) for offers in days)
        return History(FIRST, books, "CNY").notes()

    assert notes([same], [same]) == (
        "no price changed in these days: all ways saw the same prices throughout",
    )
    dearer = priced(same, 3, FIRST + timedelta(1))
    assert notes([same], [dearer]) == ("1 of 1 offers changed their price in these days",)
    assert notes([same], [same, new])[1].startswith("1 of 2 offers were seen later than the days")


def test_the_drawn_rule_tells_between_what_its_draws_lie(study) -> None:
    for row in study.rows:
        if row.total is None or not row.strategy.endswith(", drawn"):
            continue
        ends = re.search(r"mean of 20 draws, (\S+) to (\S+) undiscounted", row.note)
        assert ends is not None
        least, most = (Decimal(end.replace(",", "")) for end in ends.groups())
        assert least <= row.total <= most


def test_the_json_is_as_its_schema_says(study) -> None:
    body = json.loads(simulation_json(study))
    jsonschema.validate(body, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body | {"rows": [{"strategy": "none"}]}, SCHEMA)


def test_all_ways_are_told(study) -> None:
    names = [row.strategy for row in study.rows]
    assert names[:4] == [TOOL, "perfect foresight", ON_DEMAND, "bought at the start"]
    assert [name for name in names if name.startswith("break-even rule")] == [
        "break-even rule, terms",
        "break-even rule, terms, drawn",
        "break-even rule, buying",
        "break-even rule, buying, drawn",
    ]
    assert names[-1] == "on demand, jobs on spot"
    assert all(row.total is not None for row in study.rows)


def test_following_the_tool_costs_no_more_than_always_on_demand(study) -> None:
    by_name = {row.strategy: row.present_value for row in study.rows}
    assert by_name[TOOL] <= by_name[ON_DEMAND] * NEARLY


def test_every_form_tells_the_same_numbers(study) -> None:
    body = json.loads(simulation_json(study))
    first = body["rows"][0]
    assert first["strategy"] == TOOL
    table = simulation_text(study, TableFormat.CSV)
    assert f"{TOOL}" in table
    assert first["total"] in table
    assert "proven: no way of deciding costs less than" in simulation_text(study, TableFormat.TABLE)
    assert simulation_text(study, TableFormat.MD).count("\n|") == len(study.rows) + 2


def test_the_same_inputs_and_seed_give_the_same_bytes() -> None:
    made = [
        simulation_json(simulate(schedule(10), history(5, 10), 3, EXACT, seed=4)) for _ in range(2)
    ]
    assert made[0] == made[1]


def still(days: int) -> History:
    """Prices that stay as they are on the first day."""
    moving = history(3, days)
    return History(FIRST, tuple(moving.books[:1] * days), "CNY")


def test_on_prices_that_never_move_following_is_foresight_and_the_plan_of_the_first_day() -> None:
    asked, prices = schedule(12), still(12)
    at_once = plan(asked, prices.book(FIRST), EXACT, breakeven_s=None)
    followed = follow(asked, prices, 4, EXACT).row(TOOL)
    _, known = foresee(asked, prices, EXACT)
    assert followed.present_value == pytest.approx(at_once.npv, rel=Decimal("1e-6"))
    assert known.solution.objective == pytest.approx(float(at_once.npv), rel=1e-6)


def test_what_is_rented_by_the_hour_costs_the_price_of_its_day_by_hand() -> None:
    days = 4
    books = tuple(
        history(1, 1)
        .books[0]
        .__class__(
            as_of=FIRST + timedelta(n),
            fx=history(1, 1).books[0].fx,
            offers=(priced(offer("hour", 1), 1 + n, FIRST + timedelta(n)),),
        )
        for n in range(days)
    )
    prices = History(FIRST, books, "CNY")
    asked = schedule(days, users=1)
    service = asked.document.model_copy(update={"workloads": asked.document.workloads[:1]})
    only = asked.__class__(service, asked.source, asked.sha256, asked.folder)
    rented = follow(only, prices, 7, EXACT, narrow=on_demand)
    assert rented.row(ON_DEMAND).total == 24 * (1 + 2 + 3 + 4)
    assert demand_of(rented)["1xRTX4090"].hours == [[24.0]] * days
    assert demand_of(rented)["1xRTX4090"].price == [1.0, 2.0, 3.0, 4.0]


def test_with_foresight_a_term_begins_on_the_day_it_is_cheapest() -> None:
    asked, prices = schedule(20, buy=90000), history(11, 20)
    problem, found = foresee(asked, prices, EXACT)
    parts = found.parts
    for rental in parts.rentals:
        start = (rental.start - FIRST).days
        assert prices.days(rental.offer)[start] is not None
    paid = sum((flow.amount for _, flow in parts.bill), Decimal(0))
    assert problem.costs.present_value(f for _, f in parts.bill) == pytest.approx(
        Decimal(repr(found.solution.objective)), rel=Decimal("1e-9")
    )
    assert paid > 0


def test_an_offer_is_not_to_be_had_before_it_was_listed() -> None:
    prices = history(2, 6)
    assert [o is not None for o in prices.days("acme/spot")] == [False] * 3 + [True] * 3


def test_bought_at_the_start_buys_on_the_first_day_and_keeps_to_the_end() -> None:
    held = bought_at_start(schedule(9), history(4, 9), EXACT)
    parts = [part for week in held.weeks for part in week.plan.bought]
    assert parts
    assert {(part.paid, part.sold) for part in parts} == {(FIRST, FIRST + timedelta(9))}


def test_no_rule_for_terms_where_no_term_is_on_offer() -> None:
    prices = history(6, 8)
    by_hour = [o for o in prices.books[0].offers if o.increment.value == "hour"]
    from dataclasses import replace

    only = History(
        FIRST, tuple(replace(book, offers=tuple(by_hour)) for book in prices.books), "CNY"
    )
    rented = follow(schedule(8), only, 4, EXACT, narrow=on_demand)
    (row,) = term_rows(rented, only, 1)
    assert row.total is None
    assert "no rental for a term" in row.note
    assert spot_row(rented, only, 1).total is None


# -- prices from files and stores, and the days of a schedule ---------------------------------


def test_a_recorded_history_is_the_one_that_was_written(tmp_path) -> None:
    write_history(tmp_path / "past.csv", 3, 6)
    made = history(3, 6)
    last = FIRST + timedelta(5)
    read = recorded_history(tmp_path / "past.csv", FIRST, last, "CNY", made.books[0])
    assert [sorted(o.price.amount for o in book.offers) for book in read.books] == [
        sorted(o.price.amount for o in book.offers) for book in made.books
    ]


def test_a_history_without_prices_of_the_first_day_is_refused(tmp_path) -> None:
    write_history(tmp_path / "past.csv", 3, 6)
    early = FIRST - timedelta(1)
    with pytest.raises(HistoryError, match="has no price of"):
        recorded_history(tmp_path / "past.csv", early, FIRST, "CNY", history(3, 1).books[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("provider,price\n", "a history needs the column 'sku'"),
        ("sku,observed_at\nx\n", "the row is too short"),
    ],
)
def test_a_table_that_is_no_history_is_refused(tmp_path, text: str, message: str) -> None:
    (tmp_path / "past.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=message):
        recorded_history(tmp_path / "past.csv", FIRST, FIRST, "CNY", history(3, 1).books[0])


def test_a_schedule_is_moved_with_all_its_days() -> None:
    asked = schedule(20)
    later = FIRST + timedelta(100)
    found = moved(asked, later, later + timedelta(30))
    assert (found.schedule.first_day, found.schedule.n_days) == (later, 20)
    assert found.notes == ("the schedule is 20 days long, and ends before 2027-01-09",)
    assert moved(asked, later, later + timedelta(19)).notes == ()
    short = moved(asked, later, later + timedelta(9))
    assert short.schedule.n_days == 10
    assert [w.name for w in short.schedule.document.workloads] == ["chat"]
    assert "'tune' is left out: its deadline" in short.notes[0]


def test_a_schedule_of_which_nothing_fits_is_refused() -> None:
    asked = schedule(20)
    jobs = asked.document.model_copy(update={"workloads": asked.document.workloads[1:]})
    only = asked.__class__(jobs, asked.source, asked.sha256, asked.folder)
    with pytest.raises(WindowError, match="no workload of the schedule fits"):
        moved(only, FIRST, FIRST + timedelta(3))
