"""The rows of every family for one small instance: a change to the maths is a diff to review."""

from __future__ import annotations

import pytest
from golden_instance import GOLDEN, family_name, golden_instance, rows_by_family

from optimizer.milp.constraints import FAMILIES
from optimizer.milp.instance import Solution
from optimizer.milp.solve import solve

NAMES = ["active", *(family_name(family) for family in FAMILIES)]


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_of_a_family_are_the_golden_ones(name: str) -> None:
    """`python tests/milp/golden_instance.py` writes them again after a change that is meant."""
    assert rows_by_family()[name] == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_every_family_has_rows_and_a_golden_file_and_no_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(NAMES)
    assert all(text.count("\n") > text.startswith("merged") for text in rows_by_family().values())


def test_the_golden_instance_has_a_plan() -> None:
    assert isinstance(solve(golden_instance()), Solution)
