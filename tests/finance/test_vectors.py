"""Every checked vector: worked out by the package, within its tolerance."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import worked_owning
import worked_risk
import worked_tax
import worked_time_value
from vector_data import assert_same, vectors

VECTORS = vectors()
WORKED = (worked_time_value, worked_owning, worked_tax, worked_risk)
PREFIXES = ("tvm", "own", "tax", "vat", "acc", "risk", "plan", "fmt", "focus", "asof", "multi")


def worked() -> dict[str, Callable[[Any], dict[str, Any]]]:
    """Vector id → what works it out: ``tvm_01`` for TVM-01."""

    def of(module: ModuleType) -> dict[str, Callable[[Any], dict[str, Any]]]:
        names = [name for name in vars(module) if name[:-3] in PREFIXES and name[-2:].isdigit()]
        return {name.upper().replace("_", "-"): getattr(module, name) for name in names}

    return {id: work for module in WORKED for id, work in of(module).items()}


def test_no_vector_is_left_out() -> None:
    assert len(VECTORS) == 70
    assert set(worked()) == set(VECTORS)


@pytest.mark.parametrize("id", VECTORS)
def test_the_vector_comes_out(id: str) -> None:
    vector = VECTORS[id]
    found = worked()[id](vector["inputs"])
    assert_same(found, vector["expected"], float(vector["rel_tol"]), id)
