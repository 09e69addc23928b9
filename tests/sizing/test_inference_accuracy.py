"""The errors of inference speed on rows that no constant was fitted to, computed again."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from optimizer.sizing.calibration.__main__ import band_rows, constant_rows, error_rows, markdown
from optimizer.sizing.calibration.cases import Table, cases
from optimizer.sizing.calibration.fit import fit
from optimizer.sizing.calibration.validate import HELD_OUT, by_class, folds, held_out

ROOT = Path(__file__).parents[2]
TABLE = Table(cases())
THETA = fit(TABLE, np.ones(len(TABLE.cases), dtype=bool))
SCORED = {key: held_out(TABLE, key) for key in HELD_OUT}
CLASSES = {key: by_class(TABLE.cases, found) for key, found in SCORED.items()}


def bundled(name):
    with (ROOT / "data" / "sizing" / f"inference_{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def shown(rows):
    return [{key: str(value) for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("key", HELD_OUT)
def test_throughput_of_whole_sources_models_and_cards_not_fitted_is_as_close_as_promised(key):
    found = CLASSES[key]["decode and total throughput"]
    assert found.rows > 1200
    assert found.median <= 0.15
    assert found.ninetieth <= 0.45


@pytest.mark.parametrize(
    ("task", "middle", "worst"),
    [
        ("single stream", 0.15, 0.46),
        ("batched decode", 0.16, 0.44),
        ("saturated serving", 0.16, 0.50),
        ("prefill", 0.32, 0.65),
    ],
)
@pytest.mark.parametrize("key", HELD_OUT)
def test_each_kind_of_speed_is_close_where_nothing_was_fitted(key, task, middle, worst):
    assert CLASSES[key][task].median <= middle
    assert CLASSES[key][task].ninetieth <= worst


def test_no_fold_splits_a_cell():
    for key, group in HELD_OUT.items():
        fold = folds([group(case) for case in TABLE.cases])
        by_cell = {}
        for case, number in zip(TABLE.cases, fold.tolist(), strict=True):
            assert by_cell.setdefault(case.cell, number) == number, (key, case.cell)


def test_the_bundled_constants_are_those_of_the_fit():
    rows = bundled("constants")
    again = {row["constant"]: row for row in shown(constant_rows(TABLE, THETA, rows[0]["date"]))}
    assert list(again) == [row["constant"] for row in rows]
    for row in rows:
        fresh = again[row["constant"]]
        assert float(fresh["value"]) == pytest.approx(float(row["value"]), rel=0.02), fresh
        assert (fresh["rows"], fresh["unit"]) == (row["rows"], row["unit"])


def test_the_bundled_errors_and_bands_are_those_of_the_fit():
    rows = bundled("errors")
    again = shown(error_rows(TABLE.cases, SCORED, rows[0]["date"]))
    for fresh, row in zip(again, rows, strict=True):
        assert (fresh["held_out"], fresh["class"], fresh["rows"]) == (
            row["held_out"],
            row["class"],
            row["rows"],
        )
        assert float(fresh["median"]) == pytest.approx(float(row["median"]), abs=0.01)
        assert float(fresh["p90"]) == pytest.approx(float(row["p90"]), abs=0.03)
    rows = bundled("bands")
    again = shown(band_rows(TABLE, SCORED["source"], rows[0]["date"]))
    for fresh, row in zip(again, rows, strict=True):
        assert fresh["basis"] == row["basis"]
        for end in ("low", "high"):
            assert float(fresh[end]) == pytest.approx(float(row[end]), abs=0.03)


def test_constants_are_positive_and_near_what_was_believed():
    for row in bundled("constants"):
        value, prior = float(row["value"]), float(row["prior"])
        assert value > 0
        assert 1 / 8 < value / prior < 8, row["constant"]


def test_constants_that_nothing_informs_are_their_priors_and_say_so():
    assumed = [row for row in bundled("constants") if row["rows"] == "0"]
    assert assumed
    for row in assumed:
        assert row["value"] == row["prior"]
        assert "prior" in row["source"]


def test_the_documentation_prints_the_errors_as_they_are():
    text = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    printed = re.findall(r"^\| [^|]+ \| \d+ \|(?: \d+ / \d+ \|){3}$", text, re.MULTILINE)
    expected = list(markdown(TABLE.cases, SCORED))
    assert [line.split("|")[:3] for line in printed] == [line.split("|")[:3] for line in expected]
    for shown, found in zip(printed, expected, strict=True):  # a last digit may round either way
        numbers = ([int(n) for n in re.findall(r"\d+(?= [/|])", line)] for line in (shown, found))
        assert all(abs(a - b) <= 1 for a, b in zip(*numbers, strict=True)), (shown, found)
