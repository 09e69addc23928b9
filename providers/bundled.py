"""Where the bundled data is: inside the wheel, or in the checkout for an editable install."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(*parts: str) -> Path:
    """Path of a bundled data file, such as ``data_path("fx", "rates.csv")``."""
    inside_wheel = _PACKAGE / "_data"
    root = inside_wheel if inside_wheel.is_dir() else _PACKAGE.parent / "data"
    return root.joinpath(*parts)
