"""Rules of formats and engines that the sizing formulas share.

Everything that is fitted or looked up stands in ``data/sizing``. See docs/sizing.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.sizing.formats import weight_formats
from optimizer.sizing.gguf import gguf_files

GB = 1e9
GIB = 2**30

# --- Number formats -----------------------------------------------------------------------------

GGUF_ONLY = tuple(gguf_files())

FORMAT_KINDS = {form.id: form.kind for form in weight_formats().values()} | dict.fromkeys(
    GGUF_ONLY, "gguf"
)
"""float16, float8, int8, int4, nf4, mxfp4 or gguf, by id: which kernels run. How many bytes a
format takes: `optimizer.sizing.weights`."""

FP8_SPEEDUP_WITH_UNITS = 2.0
"""FP8 against 16-bit matrix rate on cards that have FP8 units (Hopper and later, Ada)."""

# --- Engines ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Engine:
    """How an engine splits a model and admits requests. Its costs: ``data/sizing``."""

    tensor_parallel: bool
    """Splits every layer over the GPUs; else whole layers, one GPU works at a time."""
    max_sequences: int
    """Most sequences that run at once; the engine's default."""


ENGINES = {
    "vllm": Engine(True, 256),
    "sglang": Engine(True, 256),
    "tensorrt-llm": Engine(True, 256),
    "lmdeploy": Engine(True, 128),
    # Ollama answers few requests at once and queues the rest: two, in the founding experience.
    "ollama": Engine(False, 2),
    "llama.cpp": Engine(False, 4),
    # No continuous batching: a static batch, of a size that people use.
    "transformers": Engine(False, 8),
    # No servers of their own, or no longer kept: for reading published measurements.
    "autoawq": Engine(False, 8),
    "exllama": Engine(False, 8),
    "mlc-llm": Engine(True, 8),
    "gpt-fast": Engine(True, 1),
    "deepspeed-mii": Engine(True, 256),
}

GGUF_ENGINES = ("ollama", "llama.cpp")

BEFORE_AMPERE = ("P100", "V100", "T4", "RTX2080Ti-22G")
"""Families without 16-bit brain floats; vLLM and the like refuse bf16 and fp8 there."""
BEFORE_VOLTA = ("P100",)
"""Families below compute capability 7.0, which tensor-parallel engines do not support."""
