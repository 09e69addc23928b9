"""Published figures of memory: file sizes, and peaks of programs that reserve nothing ahead."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from providers.bundled import data_path
from providers.hardware import Accelerator, accelerators

GB = 1e9
GIB = 2**30


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """One published figure, over all GPUs of the program."""

    id: str
    source: str
    """Key of ``data/measured/sources.csv``."""
    hardware: str
    gpus: int
    model: str
    format: str
    engine: str
    prompt_tokens: int
    output_tokens: int
    sequences: int
    kv_precision: str
    counts: str
    """file: the checkpoint. settled: what is held once the answer is there. peak: the most that
    was held. reserved: with the pieces a growing cache leaves behind. device: with what the driver
    holds for the process, as nvidia-smi shows it."""
    all_logits: bool
    """Whether the program makes logits of the whole prompt, as transformers did before 4.45."""
    eager_attention: bool
    """Whether the scores of the whole prompt are written out."""
    bytes: float

    @property
    def cell(self) -> str:
        """Rows of one cell are near copies: split test sets by cell, never by row."""
        return f"{self.source}|{self.model}|{self.format}|{self.engine}"


@cache
def memory_rows() -> tuple[MemoryRow, ...]:
    """All of ``data/measured/memory.csv``."""
    with data_path("measured", "memory.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_row(row) for row in csv.DictReader(file))


def _row(row: dict[str, str]) -> MemoryRow:
    return MemoryRow(
        id=row["id"],
        source=row["source"],
        hardware=row["hardware"],
        gpus=int(row["n_gpus"]),
        model=row["model"],
        format=row["format"],
        engine=row["engine"],
        prompt_tokens=int(row["prompt_tokens"]),
        output_tokens=int(row["output_tokens"]),
        sequences=int(row["sequences"]),
        kv_precision=row["kv_precision"],
        counts=row["counts"],
        all_logits=row["logits"] == "all",
        eager_attention=row["attention"] == "eager",
        bytes=float(row["value"]) * (GIB if row["unit"] == "GiB" else GB),
    )


@dataclass(frozen=True, slots=True)
class FitRow:
    """Whether one sequence of `tokens` ran on so many GPUs, or ran out of memory."""

    id: str
    source: str
    hardware: str
    memory_gb: float
    unified: bool
    gpus: int
    model: str
    format: str
    engine: str
    tokens: int
    fits: bool

    def accelerator(self) -> Accelerator:
        """The card, also where the hardware table does not know it."""
        known = accelerators().get(self.hardware)
        if known is not None:
            return known
        return Accelerator(
            id=self.hardware,
            vendor="",
            stack="metal" if self.unified else "cuda",
            memory_gb=self.memory_gb,
            bandwidth_gb_s=None,
            fp16_tflops=None,
            fp8_tflops=None,
            int8_tops=None,
            tdp_w=None,
            nvlink_gb_s=0.0,
            host_link_gb_s=0.0,
            p2p=False,
            family=self.hardware,
            source=self.source,
            note="",
        )


@cache
def fit_rows() -> tuple[FitRow, ...]:
    """All of ``data/measured/fits.csv``."""
    with data_path("measured", "fits.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            FitRow(
                id=row["id"],
                source=row["source"],
                hardware=row["hardware"],
                memory_gb=float(row["memory_gb"]),
                unified=row["unified"] == "yes",
                gpus=int(row["n_gpus"]),
                model=row["model"],
                format=row["format"],
                engine=row["engine"],
                tokens=int(row["tokens"]),
                fits=row["fits"] == "yes",
            )
            for row in csv.DictReader(file)
        )


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """What a server said at its start that it has for the cache of each GPU."""

    id: str
    source: str
    hardware: str
    gpus: int
    model: str
    format: str
    engine: str
    memory_share: float
    bytes: float


@cache
def capacity_rows() -> tuple[CapacityRow, ...]:
    """All of ``data/measured/cache_capacity.csv``."""
    with data_path("measured", "cache_capacity.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            CapacityRow(
                id=row["id"],
                source=row["source"],
                hardware=row["hardware"],
                gpus=int(row["n_gpus"]),
                model=row["model"],
                format=row["format"],
                engine=row["engine"],
                memory_share=float(row["share"]),
                bytes=float(row["kv_gib_per_gpu"]) * GIB,
            )
            for row in csv.DictReader(file)
        )
