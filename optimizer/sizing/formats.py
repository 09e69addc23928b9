"""Number formats of weights: what a weight takes, by ``data/sizing/formats.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from providers.bundled import data_path


@dataclass(frozen=True, slots=True)
class WeightFormat:
    """How a checkpoint stores weights. GGUF files mix formats: see `optimizer.sizing.gguf`."""

    id: str
    kind: str
    """float16, float8, int8, int4, nf4 or mxfp4."""
    linear_bits: float
    """Bits per weight in the linear layers of the blocks, scales and zeros of groups included."""
    embedding_bits: float
    """Bits per weight of the embedding and the head."""
    source: str

    @property
    def experts_only(self) -> bool:
        """Whether only experts are stored so, attention staying 16-bit."""
        return self.kind == "mxfp4"


@cache
def weight_formats() -> dict[str, WeightFormat]:
    """Formats of safetensors checkpoints by id."""
    with data_path("sizing", "formats.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: _format(row) for row in csv.DictReader(file)}


def _format(row: dict[str, str]) -> WeightFormat:
    bits = float(row["bits"])
    if row["group"]:
        bits += (float(row["scale_bits"]) + float(row["zero_bits"])) / int(row["group"])
    return WeightFormat(row["id"], row["kind"], bits, float(row["embedding_bits"]), row["source"])
