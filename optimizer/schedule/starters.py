"""Schedules to start from: short, commented, valid."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from providers.bundled import data_path
from providers.errors import RentoptError

STARTERS: Mapping[str, str] = {
    "training": "fine-tuning runs with deadlines; what to rent, and when",
    "inference": "an online service with office hours, growth and a peak/valley tariff",
    "serving-mix": "short and long requests to one model, each on the hardware it is cheapest on",
    "mixed": "a service, a training run and a nightly batch; rent or buy",
    "learner": "one person learns with a 70B model at 8 bits, July 2024, China",
    "learner-games": "one person learns with a 34B model at 4 bits and plays, July 2024, China",
    "small-deployment": "a team's 72B assistant at 4 bits, July 2024, China",
    "occasional-70b": "a company trains a 70B model twice a year, July 2024, China",
    "low-latency": "answers faster than two consumer cards give them, July 2024, China",
    "no-money": "training on a free quota only, July 2024, China",
}
"""Name → what it is about."""

SCENARIOS = "scenarios"
"""The starter that is no schedule: what may come beside one, for `rentopt hedge`."""


class UnknownStarterError(RentoptError):
    """No starter of that name."""


def starter(name: str) -> str:
    """The YAML text of a starter.

    Raises:
        UnknownStarterError: no starter has that name.
    """
    known = [*STARTERS, SCENARIOS]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
        raise UnknownStarterError(f"there is no starter '{name}'; {hint}")
    if name == SCENARIOS:
        return data_path("scenarios", "starter.yaml").read_text(encoding="utf-8")
    return data_path("schedules", "starters", f"{name}.yaml").read_text(encoding="utf-8")
