"""What sizing answers with."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.sizing.bands import CERTAIN, Band
from optimizer.sizing.memory import MemoryBreakdown

MeasuredRate = tuple[str, int, float, int | None]
"""GPU id, GPUs, tokens per second of all users together, concurrent users (None: not said)."""

BY_USER = "measured by the user"
"""Provenance of a rate that the user gave."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The hardware cannot do it."""

    reason: str
    """A clause in the user's words, without a full stop."""


@dataclass(frozen=True, slots=True)
class Serving:
    """One replica of a model on `gpus` GPUs of one node."""

    gpu: str
    gpus: int
    users: int
    """Most users answered at once within memory, floor and time to first token."""
    requests_per_s: float
    """Sustained at that concurrency."""
    output_tokens_per_s: float
    """All users together."""
    tokens_per_s_per_user: float
    ttft_s: float
    memory: MemoryBreakdown
    label: str
    """measured, interpolated (between measured concurrencies, or scaled from a near case) or
    modelled."""
    provenance: str
    band: Band = CERTAIN
    """Around the speeds."""
    modelled_tokens_per_s_per_user: float = 0.0
    """What the formulas alone say, to set beside a measurement."""


@dataclass(frozen=True, slots=True)
class SpeedAt:
    """Pace of a replica at one concurrency; users beyond `running` wait in a queue."""

    users: int
    running: int
    """Sequences that memory and engine let run at once."""
    tokens_per_s_per_user: float
    """Waiting included."""
    output_tokens_per_s: float
    ttft_s: float
    label: str
    provenance: str
    band: Band = CERTAIN
    modelled_tokens_per_s_per_user: float = 0.0


@dataclass(frozen=True, slots=True)
class Training:
    """A gang of equal nodes training one model."""

    tokens_per_s: float
    mfu: float
    """Share of the dense 16-bit rate, recomputation not counted."""
    memory: MemoryBreakdown
    """Of one GPU."""
    label: str
    """measured, interpolated (carried over from a measured neighbour) or modelled."""
    provenance: str
    how: str = ""
    """Strategy, checkpointing and offload, in words."""
    host_gb: float = 0.0
    """Of one node's memory, for what is offloaded."""
    error_median: float = 0.0
    """Of rows that the constants were not fitted to: half are off by less, ..."""
    error_p90: float = 0.0
    """... and nine in ten by less than this share."""
