"""Memory against published figures; docs/sizing.md prints the same numbers."""

import re
from pathlib import Path

import pytest
from memory_scoring import CLOSE, calls, score_capacity, score_memory, score_plain, summary

from optimizer.model_cards import model_cards
from optimizer.sizing.measured.common import sources
from optimizer.sizing.measured.memory import capacity_rows, fit_rows, memory_rows
from optimizer.sizing.memory_calibration import FITTED_ON, UNITS, fit, fitted_on
from optimizer.sizing.reservation import fitted_memory
from optimizer.sizing.weights import precisions

SUMMARY = summary(score_memory())
PLAIN = summary(score_plain())
CAPACITY = summary(score_capacity())
DOCS = Path(__file__).parents[2] / "docs" / "sizing.md"


def test_memory_is_close_to_figures_that_nothing_was_fitted_to():
    count, median, ninetieth = SUMMARY["all, not fitted"]
    assert count >= 250
    assert median <= 0.05
    assert ninetieth <= 0.15


def test_file_sizes_are_counted_to_a_percent():
    count, median, ninetieth = SUMMARY["files"]
    assert count >= 25
    assert median <= 0.005
    assert ninetieth <= 0.015


def test_rows_of_one_source_and_model_are_fitted_or_tested_never_both():
    fitted = {(row.source, row.model) for row in memory_rows() if fitted_on(row)}
    tested = {(row.source, row.model) for row in memory_rows() if not fitted_on(row)}
    assert not fitted & tested
    assert fitted == {(source, model) for source, models in FITTED_ON.items() for model in models}


def test_the_formulas_are_several_times_closer_than_parameters_times_bytes():
    ours = SUMMARY["all, not fitted"][1]
    assert min(PLAIN[name][1] for name in PLAIN) / ours > 4


def test_the_room_for_the_cache_is_what_servers_say_they_have():
    (errors,) = score_capacity().values()
    assert len(errors) >= 5
    assert max(errors) < 0.15


def test_nothing_is_said_to_fit_that_ran_out_of_memory():
    assert sum(not ran for _, ran, _, _ in calls()) >= 60
    assert [name for name, ran, fits, _ in calls() if fits and not ran] == []


def test_calls_that_are_not_close_are_right():
    clear = [(ran, fits) for _, ran, fits, margin in calls() if abs(margin) > CLOSE]
    right = sum(ran == fits for ran, fits in clear)
    assert len(clear) >= 150
    assert right / len(clear) >= 0.97


def test_the_constants_are_those_that_the_script_fits():
    found = fit([row for row in memory_rows() if fitted_on(row)])
    assert set(found) == set(UNITS) == set(fitted_memory())
    assert found == pytest.approx(fitted_memory(), rel=0.01)


def test_every_row_names_a_known_source_model_and_format():
    for row in (*memory_rows(), *fit_rows(), *capacity_rows()):
        assert row.source in sources(), row.id
        assert row.model in model_cards(), row.id
        assert row.format in precisions(), row.id
    ids = [row.id for row in (*memory_rows(), *fit_rows())]
    assert len(ids) == len(set(ids))


def test_the_documentation_prints_the_errors_as_they_are():
    text = DOCS.read_text(encoding="utf-8")
    printed = {
        match[1]: (int(match[2]), match[3], match[4])
        for match in re.finditer(
            r"^\| memory: ([^|]+?) \| (\d+) \| ([\d.]+ %) \| ([\d.]+ %) \|$", text, re.MULTILINE
        )
    }
    shown = {
        name: (count, f"{middle:.1%}".replace("%", " %"), f"{worst:.1%}".replace("%", " %"))
        for name, (count, middle, worst) in (SUMMARY | CAPACITY | PLAIN).items()
    }
    assert printed == shown
    found = calls()
    wrong = sum(ran != fits for _, ran, fits, _ in found)
    clear = [(ran, fits) for _, ran, fits, margin in found if abs(margin) > CLOSE]
    said = f"Of {len(found)} reports of what ran, {wrong} are called wrongly, "
    said += f"{sum(ran != fits for ran, fits in clear)} of them by more than"
    assert said in " ".join(text.split())
