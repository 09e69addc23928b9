"""Scenarios drawn from the past: reproducible, without its trend, from bundled or own prices."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from statistics import fmean, median, pstdev

import pytest
from cases import AS_OF, book, listed, schedule
from small import offer

from optimizer.milp.solve import SolveOptions
from optimizer.uncertainty.document import Generated
from optimizer.uncertainty.generate import bundled_moves, drawn, recorded_moves, without_trend
from optimizer.uncertainty.scenario import Scenario
from optimizer.uncertainty.study import hedge
from providers.errors import DocumentError
from providers.price_table import write_offers


def asked(**changes: object) -> Generated:
    return Generated.model_validate({"count": 200, "seed": 3, **changes})


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
