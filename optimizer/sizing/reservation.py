"""What an engine takes of a GPU's memory, and how it divides it: ``data/sizing/engines.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from providers.bundled import data_path
from providers.hardware import Accelerator, accelerators

GB = 1e9
GIB = 2**30

VISIBLE_SHARE = 0.985
"""Of a card's memory that a program can have, where nobody reported it: the driver keeps some."""
LARGE_CARD_GB = 70.0
LARGE_CARD_CHUNK_TOKENS = 8192
"""vLLM reads prompts in larger pieces on large cards, the A100 left out by name."""
UNIFIED_SHARES = ((36.0, 2 / 3), (float("inf"), 0.75))
"""Of unified memory below a size that macOS lets the GPU hold by default
(`recommendedMaxWorkingSetSize`: 21.3 of 32 GB, 96 of 128 GB)."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """How an engine shares out a GPU."""

    engine: str
    policy: str
    """share of card: everything within a share of the card. weights and cache: those two within
    it. share of free: the cache is a share of what weights and work leave. as needed."""
    share: float
    flag: str
    """What the engine calls the share."""
    fixed_bytes: float
    """CUDA context, libraries, communication buffers; per GPU."""
    graph_bytes: float
    """CUDA graphs, taken on top; per GPU."""
    chunk_tokens: int | None
    """Longest piece of a prompt that is worked on at once; None: the whole prompt."""
    block_tokens: int
    """The cache is handed out in pieces of so many tokens."""
    windows: bool
    """Frees what a sliding window no longer sees."""
    kv_precisions: tuple[str, ...]
    offload: bool
    """Can leave layers in host memory."""
    source: str

    @property
    def as_needed(self) -> bool:
        """Reserves nothing ahead."""
        return self.policy == "as needed"

    def chunk(self, gpu: Accelerator) -> int | None:
        if self.engine == "vllm" and gpu.memory_gb >= LARGE_CARD_GB and gpu.family != "A100":
            return LARGE_CARD_CHUNK_TOKENS
        return self.chunk_tokens


@cache
def reservations() -> dict[str, Reservation]:
    """By engine."""
    with data_path("sizing", "engines.csv").open(encoding="utf-8", newline="") as file:
        return {row["engine"]: _reservation(row) for row in csv.DictReader(file)}


def _reservation(row: dict[str, str]) -> Reservation:
    return Reservation(
        engine=row["engine"],
        policy=row["policy"],
        share=float(row["share"]),
        flag=row["flag"],
        fixed_bytes=float(row["fixed_gb_per_gpu"]) * GB,
        graph_bytes=float(row["graphs_gb_per_gpu"]) * GB,
        chunk_tokens=int(row["chunk_tokens"]) if row["chunk_tokens"] else None,
        block_tokens=int(row["block_tokens"]),
        windows=row["windows"] == "yes",
        kv_precisions=tuple(row["kv_precisions"].split()),
        offload=row["offload"] == "layers",
        source=row["source"],
    )


@cache
def _reported_shares() -> dict[str, float]:
    """Of the nominal memory, by GPU."""
    cards = accelerators()
    with data_path("hardware", "visible_memory.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["gpu"]: float(row["visible_gib"]) / cards[row["gpu"]].memory_gb
            for row in csv.DictReader(file)
        }


def visible_bytes(gpu: Accelerator) -> float:
    """What programs can have of a GPU: the gigabyte on the box is 2**30 bytes, less a little."""
    if gpu.unified_memory:
        share = next(share for below, share in UNIFIED_SHARES if gpu.memory_gb < below)
        return gpu.memory_gb * GIB * share
    return gpu.memory_gb * GIB * _reported_shares().get(gpu.id, VISIBLE_SHARE)


@cache
def fitted_memory() -> dict[str, float]:
    """The fitted constants by name: ``data/sizing/memory.csv``."""
    with data_path("sizing", "memory.csv").open(encoding="utf-8", newline="") as file:
        return {row["constant"]: float(row["value"]) for row in csv.DictReader(file)}
