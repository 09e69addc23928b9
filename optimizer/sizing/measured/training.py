"""Published training speeds, and the one that stands for a case someone asks about."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from optimizer.model_cards import ModelCard, model_cards
from optimizer.sizing.measured.common import CLOSE, Shape, chip, number, shape, sources, whole
from providers.bundled import data_path


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One published training speed, of all GPUs together, or a peak of memory."""

    id: str
    source: str
    date: str
    hardware: str
    gpus: int
    model: str
    method: str
    precision: str
    parallelism: str
    sequence_tokens: int | None
    micro_batch: int | None
    global_batch: int | None
    tokens_per_s: float | None
    peak_memory_gb: float | None

    @property
    def comparable(self) -> bool:
        """Whether it shows 16-bit training without offload or 8-bit tricks, on a known model."""
        how = self.parallelism.lower()
        plain = "offload" not in how and "8-bit" not in how and "sequence parallel" not in how
        return plain and "FP8" not in self.precision and self.model in model_cards()


@cache
def training_rows() -> tuple[TrainingRow, ...]:
    """All of ``data/measured/training.csv``."""
    known = sources()
    with data_path("measured", "training.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            TrainingRow(
                id=row["id"],
                source=known[row["source"]][0],
                date=known[row["source"]][1],
                hardware=row["hardware"],
                gpus=int(row["n_gpus"]),
                model=row["model"],
                method=row["method"],
                precision=row["precision"],
                parallelism=row["parallelism"],
                sequence_tokens=whole(row["seq_len"]),
                micro_batch=whole(row["micro_batch"]),
                global_batch=whole(row["global_batch_seqs"]),
                tokens_per_s=number(row["tokens_per_s"]),
                peak_memory_gb=number(row["peak_mem_gb_per_gpu"]),
            )
            for row in csv.DictReader(file)
        )


@cache
def _training_index() -> dict[tuple[Shape, str, int], list[TrainingRow]]:
    index: dict[tuple[Shape, str, int], list[TrainingRow]] = defaultdict(list)
    for row in training_rows():
        if row.comparable and row.tokens_per_s:
            gpu = chip(row.hardware, row.gpus)
            index[shape(model_cards()[row.model]), gpu, row.gpus].append(row)
    return dict(index)


def training_match(
    card: ModelCard, method: str, gpu: str, gpus: int, *, sequence_tokens: int, micro_batch: int
) -> TrainingRow | None:
    """The published training speed for the case: same shape, kind, card, count and batch."""
    full = method in ("pretrain", "full")
    methods = ("pretrain", "full") if full else (method,)
    near = [
        row
        for row in _training_index().get((shape(card), chip(gpu, gpus), gpus), [])
        if row.method in methods
        and row.micro_batch == micro_batch
        and row.sequence_tokens is not None
        and 1 / CLOSE < row.sequence_tokens / sequence_tokens < CLOSE
    ]
    if not near:
        return None
    newest = max(row.date for row in near)
    fresh = sorted((row for row in near if row.date == newest), key=lambda r: r.tokens_per_s or 0.0)
    return fresh[len(fresh) // 2]
