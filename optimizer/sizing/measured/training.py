"""Published training speeds, and the one that stands for a case someone asks about."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from optimizer.sizing.constants import GB, GIB
from optimizer.sizing.measured.common import number, sources, whole
from providers.bundled import data_path

MEMORY_UNITS = {"GiB": float(GIB), "GB": GB, "1000 MiB": 1000.0 * 2**20}
"""What sources mean by a gigabyte, by what they print on full cards."""


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One published training speed, of all GPUs together, or a peak of memory."""

    id: str
    source: str
    date: str
    hardware: str
    gpus: int
    nodes: int
    interconnect: str
    model: str
    params_b: float
    method: str
    precision: str
    parallelism: str
    """In the source's words."""
    strategy: str
    tensor_parallel: int
    pipeline_parallel: int
    context_parallel: int
    virtual_stages: int
    offload: str
    framework: str
    optimizer: str
    checkpointing: str
    options: frozenset[str]
    """compiled, chunked loss, optimizer in backward, activations offloaded, embeddings trained,
    no flash attention."""
    lora_rank: int | None
    sequence_tokens: int | None
    micro_batch: int | None
    global_batch: int | None
    tokens_per_s: float | None
    peak_memory_gb: float | None
    """Of one GPU, decimal."""
    memory_counter: str
    """device (as the driver sees it), reserved or allocated (as PyTorch's allocator does)."""
    suspect: bool
    """Above the card's peak rate, or contradicted by its siblings: shown, never used."""
    note: str

    @property
    def group(self) -> str:
        """Short name of the source."""
        return self.id.rsplit("-", 1)[0]

    @property
    def cell(self) -> str:
        """Rows of one cell are near copies: split test sets by cell, never by row."""
        return f"{self.group}|{self.hardware}x{self.gpus}|{self.model}|{self.method}"


@cache
def training_rows() -> tuple[TrainingRow, ...]:
    """All of ``data/measured/training.csv``."""
    with data_path("measured", "training.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_row(fields) for fields in csv.DictReader(file))


def _row(fields: dict[str, str]) -> TrainingRow:
    address, date = sources()[fields["source"]]
    peak = number(fields["peak_memory_per_gpu"])
    return TrainingRow(
        id=fields["id"],
        source=address,
        date=date,
        hardware=fields["hardware"],
        gpus=int(fields["n_gpus"]),
        nodes=int(fields["nodes"]),
        interconnect=fields["interconnect"],
        model=fields["model"],
        params_b=float(fields["params_b"]),
        method=fields["method"],
        precision=fields["precision"],
        parallelism=fields["parallelism"],
        strategy=fields["strategy"],
        tensor_parallel=int(fields["tensor_parallel"]),
        pipeline_parallel=int(fields["pipeline_parallel"]),
        context_parallel=int(fields["context_parallel"]),
        virtual_stages=int(fields["virtual_stages"]),
        offload=fields["offload"],
        framework=fields["framework"],
        optimizer=fields["optimizer"],
        checkpointing=fields["checkpointing"],
        options=frozenset(filter(None, fields["options"].split("; "))),
        lora_rank=whole(fields["lora_rank"]),
        sequence_tokens=whole(fields["seq_len"]),
        micro_batch=whole(fields["micro_batch"]),
        global_batch=whole(fields["global_batch_seqs"]),
        tokens_per_s=number(fields["tokens_per_s"]),
        peak_memory_gb=None if peak is None else peak * MEMORY_UNITS[fields["memory_unit"]] / GB,
        memory_counter=fields["memory_counter"],
        suspect=fields["suspect"] == "yes",
        note=fields["note"],
    )
