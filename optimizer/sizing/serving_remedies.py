"""What would make a model fit where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from optimizer.model_cards import ModelCard
from optimizer.sizing.memory import tensor_parallel_fault
from optimizer.sizing.placement import Placement, placement
from optimizer.sizing.replica import software_fault
from optimizer.sizing.reservation import GB, reservations
from optimizer.sizing.weights import is_gguf
from providers.hardware import Accelerator

CHECKPOINTS = ("bf16", "fp8", "gptq-int8", "awq-int4")
GGUF = ("bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q3_k_m", "q2_k")
"""What people step down through, widest first."""
COUNTS = (1, 2, 3, 4, 5, 6, 8, 16)


@dataclass(frozen=True, slots=True)
class Case:
    """A model on hardware, and the load it is to hold."""

    card: ModelCard
    precision: str
    engine: str
    gpu: Accelerator
    gpus: int
    users: int
    prompt_tokens: int
    output_tokens: int
    kv_precision: str = "bf16"
    offload_layers: int = 0

    @property
    def lies(self) -> Placement:
        return placement(
            self.card,
            self.precision,
            self.engine,
            self.gpu,
            self.gpus,
            kv_precision=self.kv_precision,
            offload_layers=self.offload_layers,
        )

    @property
    def length(self) -> int:
        return self.prompt_tokens + self.output_tokens

    @property
    def most_users(self) -> int:
        """Requests at full length whose cache fits; what the engine admits is not counted."""
        return self.lies.most_sequences(self.prompt_tokens, self.length)

    @property
    def fits(self) -> bool:
        fault = software_fault(self.precision, self.engine, self.gpu, self.gpus)
        if fault or tensor_parallel_fault(self.card, self.engine, self.gpus):
            return False
        return self.most_users >= self.users


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change that makes it fit, the rest staying as it is."""

    change: str
    """precision, gpus, kv_precision, context, users or offload_layers."""
    value: str | int
    words: str
    """A clause in the user's words."""


def remedies(case: Case) -> list[Remedy]:
    """Every single change that makes `case` fit, the least of its kind; empty where it fits."""
    if case.fits:
        return []
    found = [_precision, _kv_precision, _context, _users, _offload, _gpus]
    return [remedy for kind in found for remedy in kind(case)]


def _precision(case: Case) -> Iterator[Remedy]:
    gguf = is_gguf(case.precision) or case.engine in ("ollama", "llama.cpp")
    ladder = GGUF if gguf else CHECKPOINTS
    now = case.lies.stored.total
    for name in ladder:
        narrower = replace(case, precision=name)
        if narrower.lies.stored.total < now and narrower.fits:
            size = f"weights of {narrower.lies.stored.total / GB:.1f} GB"
            yield Remedy("precision", name, f"--precision {name} ({size})")
            return


def _kv_precision(case: Case) -> Iterator[Remedy]:
    for name in reservations()[case.engine].kv_precisions:
        if name != case.kv_precision and replace(case, kv_precision=name).fits:
            yield Remedy("kv_precision", name, f"--kv-precision {name} (a smaller cache)")
            return


def _context(case: Case) -> Iterator[Remedy]:
    """The longest context at which the users fit, to a whole block of 16 tokens."""
    low, high = 0, case.length - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _at(case, middle).fits else (low, middle - 1)
    context = low // 16 * 16
    if context > case.output_tokens:
        yield Remedy("context", context, f"--context {context} (shorter requests)")


def _at(case: Case, context: int) -> Case:
    prompt = max(context - case.output_tokens, 1)
    return replace(case, prompt_tokens=prompt, output_tokens=min(case.output_tokens, context))


def _users(case: Case) -> Iterator[Remedy]:
    if 0 < case.most_users < case.users and replace(case, users=1).fits:
        yield Remedy("users", case.most_users, f"--users {case.most_users} (fewer at once)")


def _offload(case: Case) -> Iterator[Remedy]:
    if not reservations()[case.engine].offload or case.gpu.unified_memory:
        return
    for layers in range(case.offload_layers + 1, case.card.layers + 1):
        moved = replace(case, offload_layers=layers)
        if moved.fits:
            size = moved.lies.host / GB
            words = f"--offload-layers {layers} ({size:.1f} GB in host memory, much slower)"
            yield Remedy("offload_layers", layers, words)
            return


def _gpus(case: Case) -> Iterator[Remedy]:
    for count in COUNTS:
        if count > case.gpus and not case.gpu.unified_memory and replace(case, gpus=count).fits:
            yield Remedy("gpus", count, f"--on {count}x{case.gpu.id}")
            return
