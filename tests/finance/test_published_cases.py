"""Published cases come out as published; those that are wrong come out right instead."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from published_cases import WORKED, cases, work

from optimizer.finance.defaults import residual_curves

CASES = cases()
AS_PRINTED = 2e-3
"""Our own figures stand in the cases with three digits and more."""


def figures(value: Any) -> list[float]:
    return [float(each) for each in (value if isinstance(value, list) else [value])]


def close(found: list[float], wanted: list[float], absolute: float, relative: float) -> bool:
    return len(found) == len(wanted) and all(
        abs(one - other) <= max(absolute, relative * abs(other)) + 1e-9
        for one, other in zip(found, wanted, strict=True)
    )


def test_no_case_is_left_out() -> None:
    assert len(CASES) == 18
    assert set(WORKED) == set(CASES)


@pytest.mark.parametrize("id", CASES)
def test_the_published_outputs_come_out(id: str) -> None:
    case = CASES[id]
    found = work(case)
    for line in case["expected"]:
        got, wanted = figures(found[line["name"]]), figures(line["value"])
        tolerances = float(line.get("abs_tol", 0)), float(line.get("rel_tol", 0))
        assert close(got, wanted, *tolerances), f"{line['name']}: {got} is not {wanted}"


@pytest.mark.parametrize("id", CASES)
def test_the_independent_recomputation_agrees(id: str) -> None:
    found = work(CASES[id])
    for name, value in CASES[id]["ours"].items():
        assert close(figures(found[name]), figures(value), 0, AS_PRINTED), name


def test_a_published_table_that_contradicts_its_formula_is_not_reproduced() -> None:
    case = CASES["EXT-AIIDX-NEG-01"]
    found = figures(work(case)["annual_power_cost"])
    for got, wrong in zip(found, case["published_but_wrong"], strict=True):
        assert wrong / got == pytest.approx(4.9, abs=0.01)


def test_a_saving_of_half_a_million_can_be_a_loss() -> None:
    """The same inputs: undiscounted 490,903 saved, NPV at 10 % -9,440."""
    found = work(CASES["EXT-LEGITLADS-01"])
    assert found["saving"] > 490_000
    assert found["npv_10pct"] < 0


def test_the_published_residuals_of_the_h100_are_bundled_with_their_range() -> None:
    case = CASES["EXT-RESID-H100"]["inputs"]
    bundled = residual_curves()["h100-glri"].curve
    for year, low, high in zip(
        case["years"], case["residual_low"], case["residual_high"], strict=True
    ):
        assert bundled.at(Decimal(year * 12), "low").value == Decimal(str(low))
        assert bundled.at(Decimal(year * 12), "high").value == Decimal(str(high))
