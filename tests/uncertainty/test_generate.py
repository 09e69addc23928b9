"""Scenarios drawn from the past: reproducible, without its trend, from bundled or own prices."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import fmean, median, pstdev

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "prices"))

from cases import AS_OF, book, listed, schedule
from market import FIRST, fill, table
from small import offer
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.milp.solve import SolveOptions
from optimizer.uncertainty.document import Generated
from optimizer.uncertainty.generate import (
    Change,
    bundled_moves,
    moves_of,
    past_of,
    recorded_moves,
    without_trend,
)
from optimizer.uncertainty.generate import drawn as drawn_from
from optimizer.uncertainty.scenario import Scenario
from optimizer.uncertainty.study import hedge
from providers.errors import DocumentError
from providers.offers import OfferBook
from providers.price_table import write_offers
from providers.store import open_store

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"


def asked(**changes: object) -> Generated:
    return Generated.model_validate({"count": 200, "seed": 3, **changes})


def drawn(wanted: Generated, folder: Path) -> tuple[Scenario, ...]:
    return drawn_from(wanted, past_of(wanted, folder))


def factors(scenarios: tuple[Scenario, ...], gpu: str = "H100-SXM5-80GB") -> list[float]:
    return [float(s.rent_factor(offer("x", 1.0, gpu))) for s in scenarios]


def history(folder: Path, prices: list[float], gpu: str = "RTX4090") -> Path:
    """Two offers on demand, each with a row a day."""
    lines: list[bytes] = []
    for n, price in enumerate(prices):
        day = AS_OF + timedelta(n)
        head, *rows = write_offers(
            [
                offer("hour", price, gpu, observed_at=day),
                offer("b", price * 2, gpu, observed_at=day),
            ]
        ).splitlines(keepends=True)
        lines += [head, *rows] if not lines else rows
    path = folder / "past.csv"
    path.write_bytes(b"".join(lines))
    return path


def test_the_same_seed_draws_the_same_scenarios_and_another_others() -> None:
    assert drawn(asked(load=0.3), Path()) == drawn(asked(load=0.3), Path())
    assert factors(drawn(asked(), Path())) != factors(drawn(asked(seed=4), Path()))
    assert sum(s.chance for s in drawn(asked(count=8), Path())) == 1


def test_bundled_prices_move_about_todays_and_further_the_longer_one_looks_ahead() -> None:
    spread = {}
    for ahead in (7, 28, 90):
        moves = [math.log(x) for x in factors(drawn(asked(ahead=ahead), Path()))]
        spread[ahead] = pstdev(moves)
        assert abs(fmean(moves)) < 4 * spread[ahead] / math.sqrt(len(moves))
    assert 0 < spread[7] < spread[28] < spread[90]


def test_a_gpu_without_a_history_moves_as_the_others_do_on_average() -> None:
    (scenario, *_) = drawn(asked(), Path())
    known = sorted({gpu for day in bundled_moves() for gpu in day})
    logs = [math.log(float(scenario.rent_factor(offer("x", 1.0, gpu)))) for gpu in known]
    other = math.log(float(scenario.rent_factor(offer("x", 1.0, "RTX4090"))))
    assert other == pytest.approx(fmean(logs), abs=1e-3)


def test_load_and_residual_values_are_lognormal_about_one_and_delays_equally_likely() -> None:
    scenarios = drawn(asked(count=400, load=0.2, residual=0.1, delay=[0, 30]), Path())
    loads = [math.log(float(s.load_factor("chat"))) for s in scenarios]
    assert median(loads) == pytest.approx(0, abs=0.03)
    assert pstdev(loads) == pytest.approx(0.2, rel=0.12)
    assert pstdev([math.log(float(s.residual)) for s in scenarios]) == pytest.approx(0.1, rel=0.12)
    late = [s.days_late("1xRTX4090") for s in scenarios]
    assert {0, 30} == set(late)
    assert 150 < sum(days == 30 for days in late) < 250


def test_own_history_gives_its_own_moves_without_their_trend(tmp_path: Path) -> None:
    prices = [2.0 * 1.1**n * (1.2 if n % 2 else 1.0) for n in range(21)]
    moves = recorded_moves(history(tmp_path, prices))
    assert [day["RTX4090"] for day in moves[:2]] == pytest.approx(
        [math.log(1.1 * 1.2), math.log(1.1 / 1.2)]
    )
    flat = [day["RTX4090"] for day in without_trend(moves)]
    assert fmean(flat) == pytest.approx(0)
    seen = factors(drawn(asked(prices="past.csv", ahead=7), tmp_path), "RTX4090")
    assert {round(x, 1) for x in seen} <= {0.8, 1.0, 1.2}


def test_a_gpu_moves_as_its_offers_do_on_average_those_that_stay_included() -> None:
    def change(number: int, name: str, price: float | None) -> Change:
        return AS_OF + timedelta(number), name, None if price is None else offer(name, price)

    changes = [
        change(0, "a", 2.0), change(0, "b", 1.0), change(1, "a", 4.0), change(2, "b", None),
        change(3, "a", 2.0), change(3, "c", 9.0), change(4, "b", 5.0),
    ]  # fmt: skip
    moves = [day["RTX4090"] for day in moves_of(changes, AS_OF + timedelta(5))]
    # b stays; then it is gone, and no move when it comes again; c is new.
    assert moves == pytest.approx([math.log(2) / 2, 0, math.log(1 / 2) / 2, 0, 0])
    assert moves_of([], AS_OF) == []


GENERATED = "rentopt_scenarios: 1\nknown_from: 2026-12-03\ngenerated: {count: 3, ahead: 14 days}\n"


def stored_book(day: int) -> OfferBook:
    moment = FIRST + timedelta(days=day)
    return replace(book(), as_of=moment.date(), known_at=moment)


def test_rents_move_as_in_the_price_store_once_it_is_four_weeks_old(tmp_path: Path) -> None:
    store = tmp_path / "prices.db"
    fill(store, 50)
    asked_for = listed(tmp_path, GENERATED)
    past = asked_for.past(stored_book(40), str(store))
    assert past is not None
    assert past.words == "the price store's prices on demand, 2026-09-01 to 2026-10-11"
    assert len(past.moves) == 40
    # Both offers on demand of one GPU; from day 31 on the first is a cent dearer each day.
    assert past.moves[29]["H100-SXM5-80GB"] == 0
    assert past.moves[30]["H100-SXM5-80GB"] == pytest.approx(math.log(3.00 / 2.99) / 2)
    young = asked_for.past(stored_book(27), str(store))
    assert young is not None
    assert young.words == "the bundled daily prices of 29 days"
    assert young == asked_for.past(stored_book(40))


def test_what_a_store_learns_later_moves_no_scenario_of_before(tmp_path: Path) -> None:
    store = tmp_path / "prices.db"
    fill(store, 35)
    asked_for = listed(tmp_path, GENERATED)
    before = asked_for.past(stored_book(34), str(store))
    with open_store(store) as prices:
        late = replace(table(10), observed_at=FIRST + timedelta(days=36))
        prices.publish(late, started_at=late.observed_at, now=late.observed_at)
    assert asked_for.past(stored_book(34), str(store)) == before


def test_a_hedge_over_a_store_says_so_and_its_plans_can_be_checked_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_bytes(TINY.read_bytes())
    Path("later.yaml").write_text(GENERATED, encoding="utf-8")
    fill(Path("prices.db"), 40)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--store", "prices.db"])
        assert done.exit_code == 0, done.output
        return done.stdout

    day = ("--as-of", "2026-10-10", "--plans", "plans")
    text = run("hedge", "tiny.yaml", "later.yaml", *day)
    words = "the price store's prices on demand, 2026-09-01 to 2026-10-10"
    assert f"rents of the scenarios are drawn from {words}" in text
    with open_store(Path("prices.db")) as prices:
        late = replace(table(50), observed_at=FIRST + timedelta(days=50))
        prices.publish(late, started_at=late.observed_at, now=late.observed_at)
    one_of = ("--scenarios", "later.yaml", "--scenario", "drawn 2")
    assert run("verify", "plans/drawn 2.json", "tiny.yaml", *one_of).startswith("holds: ")


def test_a_history_of_one_day_is_refused(tmp_path: Path) -> None:
    history(tmp_path, [2.0])
    with pytest.raises(DocumentError, match="two days or more"):
        drawn(asked(prices="past.csv"), tmp_path)


def test_drawn_scenarios_are_hedged_and_more_than_ten_bounded_one_by_one(tmp_path: Path) -> None:
    text = (
        "rentopt_scenarios: 1\nknown_from: 2026-12-20\n"
        "generated: {count: 12, seed: 2, load: 40 %, ahead: 28 days}\n"
    )
    whole, prices = schedule(), book()
    read = listed(tmp_path, text)
    scenarios = read.scenarios(whole, prices)
    options = SolveOptions(gap=0.005, time_limit_s=120)
    found = hedge(whole, prices, read, scenarios, None, options)
    assert len(found.outcomes) == 12
    assert found.method == "each scenario by itself (wait and see)"
    assert found.bound <= found.objective
    assert found.evpi >= 0
    assert found.vss is None or found.vss >= 0
