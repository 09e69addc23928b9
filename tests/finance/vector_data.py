"""The checked vectors, read exactly, and how a result is compared with one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

D = Decimal
DATA = Path(__file__).parent / "data"
NEAR_ZERO = 1e-9


def vectors() -> dict[str, dict[str, Any]]:
    document = json.loads((DATA / "vectors.json").read_text(encoding="utf-8"), parse_float=D)
    return {vector["id"]: vector for vector in document["vectors"]}


def assert_same(found: Any, expected: Any, rel_tol: float, at: str = "") -> None:
    """Figures within the tolerance, everything else exactly."""
    if isinstance(expected, dict):
        assert {str(key) for key in found} == set(expected), at
        for key, value in found.items():
            assert_same(value, expected[str(key)], rel_tol, f"{at}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), at
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, rel_tol, f"{at}[{i}]")
    elif expected is None or isinstance(expected, bool | str):
        assert found == expected, at
    else:
        assert not isinstance(found, bool), at
        wanted = pytest.approx(float(expected), rel=rel_tol, abs=NEAR_ZERO)
        assert float(found) == wanted, f"{at}: {found} is not {expected}"
