"""A job with a deadline on capacity that comes and goes, without knowing when.

Wu, Chiang et al., "Can't Be Late: Optimizing Spot Instance Savings under Deadlines" (NSDI 2024):
the uniform progress policy and the safety net. Slots are hours here; a switch to other nodes
costs `restart` hours in which no work is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

DONE = 1e-9
"""Hours of work that rounding may leave undone."""


class Mode(StrEnum):
    IDLE = "idle"
    SPOT = "spot"
    ON_DEMAND = "on_demand"


@dataclass(frozen=True, slots=True)
class Ride:
    """What a policy did in every slot until the work was done."""

    modes: tuple[Mode, ...]
    late: bool

    def cost(self, spot: Sequence[float], on_demand: Sequence[float]) -> float:
        """
        Args:
            spot, on_demand: [slot] price of an hour.
        """
        prices = {Mode.SPOT: spot, Mode.ON_DEMAND: on_demand}
        used = ((t, mode) for t, mode in enumerate(self.modes) if mode is not Mode.IDLE)
        return sum(prices[mode][t] for t, mode in used)


Wanted = Callable[[int, float], bool]
"""(slot, work done) → whether to run on demand where no spot capacity is there"""


def uniform_progress(
    there: Sequence[bool], work: float, deadline: int, restart: float = 0.0
) -> Ride:
    """Spot when it is there; on demand when behind the straight line to the deadline.

    Proven: never late, whatever the availability, if the work and one restart fit before the
    deadline: the safety net keeps `left + restart <= time left` true whenever the job is not on
    demand. Every slot is paid once, so it costs at most p · (work + restarts + 1), against at least
    s · work of any policy (p: dearest hour on demand, s: cheapest hour of spot).
    """

    def behind(t: int, done: float) -> bool:
        return done < work * t / deadline

    return _ride(there, work, deadline, restart, behind)


def greedy(there: Sequence[bool], work: float, deadline: int, restart: float = 0.0) -> Ride:
    """Spot when it is there, else wait as long as the safety net allows.

    Never late either. Better than `uniform_progress` at loose deadlines, worse at tight ones.
    """
    return _ride(there, work, deadline, restart, lambda t, done: False)


def _ride(
    there: Sequence[bool], work: float, deadline: int, restart: float, wanted: Wanted
) -> Ride:
    """The policy under the safety net: whatever would leave less time than what is then left of
    the work and one restart need is not done; the job runs on demand instead."""
    done, lost, mode = 0.0, 0.0, Mode.IDLE
    modes: list[Mode] = []
    for t in range(deadline):
        if done >= work - DONE:
            break
        now = Mode.IDLE
        if t < len(there) and there[t]:
            now = Mode.SPOT
        elif wanted(t, done):
            now = Mode.ON_DEMAND
        if now is not Mode.ON_DEMAND:
            left = work - done - _worked(now, mode, lost, restart)
            if left > DONE and left + restart > deadline - t - 1 + DONE:
                now = Mode.ON_DEMAND
        if now is not Mode.IDLE:
            waits = lost if now is mode else restart
            done += _worked(now, mode, lost, restart)
            lost = max(0.0, waits - 1.0)
        mode = now
        modes.append(now)
    return Ride(tuple(modes), done < work - DONE)


def _worked(now: Mode, before: Mode, lost: float, restart: float) -> float:
    """Hours of work in a slot, after what a switch takes."""
    if now is Mode.IDLE:
        return 0.0
    return max(0.0, 1.0 - (lost if now is before else restart))
