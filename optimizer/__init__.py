"""Plans: from a schedule and an offer book to the cheapest proven mix of renting and owning.

>>> from optimizer import load_schedule, plan  # doctest: +SKIP
>>> plan(load_schedule("schedule.yaml")).total  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.api import plan
    from optimizer.schedule.load import load_schedule

__all__ = ["load_schedule", "plan"]

_HOMES = {"plan": "optimizer.api", "load_schedule": "optimizer.schedule.load"}


def __getattr__(name: str) -> Any:
    """Import on first use: `rentopt --help` must not wait for the solver."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'optimizer' has no attribute '{name}'")
