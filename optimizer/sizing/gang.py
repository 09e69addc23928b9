"""Sizing of a training gang: the fastest way to train that fits, and what was measured of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from optimizer.model_cards import ModelCard, model_card
from optimizer.sizing.constants import GB
from optimizer.sizing.memory import MemoryBreakdown
from optimizer.sizing.results import BY_USER, MeasuredRate, Training, Unfit
from optimizer.sizing.training.expected import expected_error
from optimizer.sizing.training.memory import host_bytes, training_memory
from optimizer.sizing.training.nearest import carried
from optimizer.sizing.training.setup import (
    CHECKPOINTING,
    OFFLOADS,
    STRATEGIES,
    Gang,
    Setup,
)
from optimizer.sizing.training.speed import GangSpeed, training_speed
from optimizer.sizing.training.terms import model_flops_per_token
from providers.hardware import accelerators

MODELLED = "formulas with constants fitted to published measurements (docs/sizing.md)"


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What the trainer may do, and must. The fastest allowed way that fits is taken."""

    optimizer: str = "adamw"
    checkpointing: tuple[str, ...] = CHECKPOINTING
    """Allowed; the last ones take less memory, as in what follows."""
    strategies: tuple[str, ...] = STRATEGIES
    """Allowed."""
    offload: tuple[str, ...] = ("none",)
    """Allowed."""
    tensor_parallel: tuple[int, ...] = (1, 2, 4, 8)
    """Allowed; above 1 only where nothing else fits, and not under Hugging Face."""
    precision: str = "bf16"
    framework: str = ""
    """Empty: the usual one for the method."""
    lora_rank: int = 16
    chunked_loss: tuple[bool, ...] = (False, True)
    """Whether logits may be computed piece by piece, where they do not fit at once."""
    fabric_gbit_s: float | None = None
    """Between nodes, of one node; None: what such nodes usually have."""


ANYHOW = TrainingOptions()


def training_options(
    *, strategy: str, checkpointing: str, offload: str, framework: str, **others: Any
) -> TrainingOptions:
    """Options in the words of a schedule: `auto` allows all, `offload` is the most that may be."""
    return TrainingOptions(
        strategies=STRATEGIES if strategy == "auto" else (strategy,),
        checkpointing=CHECKPOINTING if checkpointing == "auto" else (checkpointing,),
        offload=OFFLOADS[: OFFLOADS.index(offload) + 1],
        framework="" if framework == "auto" else framework,
        **others,
    )


def size_training(
    model: str,
    method: str,
    gpu: str,
    gpus_per_node: int,
    nodes: int,
    *,
    sequence_tokens: int,
    micro_batch: int,
    accumulation: int,
    measured: Sequence[MeasuredRate] = (),
    options: TrainingOptions = ANYHOW,
) -> Training | Unfit:
    """Tokens per second of `nodes` equal nodes training together.

    The fastest way that `options` allow and that fits; a loss in chunks and tensor parallelism
    only where no other way fits. A user's measurement of one node is carried to several by the
    model's scaling, and counts even where the memory model sees no room: the user may know a
    trick.
    """
    batch = (sequence_tokens, micro_batch, accumulation)
    own = [rate[2] for rate in measured if (rate[0], rate[1]) == (gpu, gpus_per_node)]
    found = _gang(model, method, gpu, gpus_per_node, nodes, *batch, options)
    if not own:
        return found
    way = fastest(model, method, gpu, gpus_per_node, nodes, *batch, options)
    one = fastest(model, method, gpu, gpus_per_node, 1, *batch, options)
    scaling = float(nodes)
    if way.speed and one.speed:
        scaling = way.speed.tokens_per_s / one.speed.tokens_per_s
    tokens_per_s = max(own) * min(scaling, nodes)
    provenance = BY_USER if nodes == 1 else f"{BY_USER} on one node, scaled to {nodes} by the model"
    gpus = gpus_per_node * nodes
    return _answer(model, way, gpu, gpus, tokens_per_s, "measured", provenance)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to train, with what it takes and gives."""

    setup: Setup
    memory: MemoryBreakdown
    speed: GangSpeed | None
    host_gb: float
    """Of one node's memory, for what is offloaded."""

    @property
    def words(self) -> str:
        """Such as `zero-3, full checkpointing`."""
        said = [self.setup.strategy]
        if self.setup.tensor_parallel > 1:
            said.append(f"tensor parallel {self.setup.tensor_parallel}")
        kind = self.setup.checkpointing
        said.append("no checkpointing" if kind == "none" else f"{kind} checkpointing")
        if self.setup.chunked_loss:
            said.append("loss in chunks")
        if self.setup.offload != "none":
            what = "optimizer" if self.setup.offload == "optimizer" else "all states"
            said.append(f"{what} offloaded to {self.host_gb:.0f} GB of a node's host memory")
        return ", ".join(said)


@lru_cache(maxsize=8192)
def _gang(
    model: str,
    method: str,
    gpu: str,
    gpus_per_node: int,
    nodes: int,
    sequence_tokens: int,
    micro_batch: int,
    accumulation: int,
    options: TrainingOptions,
) -> Training | Unfit:
    gpus = gpus_per_node * nodes
    if accelerators()[gpu].unified_memory and gpus > 1:
        return Unfit(f"several {gpu} do not train one model together")
    if options.precision == "fp8" and accelerators()[gpu].fp8_tflops is None:
        return Unfit(f"{gpu} has no units for fp8")
    batch = (sequence_tokens, micro_batch, accumulation)
    way = fastest(model, method, gpu, gpus_per_node, nodes, *batch, options)
    gang = Gang(accelerators()[gpu], gpus_per_node, nodes, options.fabric_gbit_s)
    found = carried(model_card(model), way.setup, gang) if gpus_per_node == min(gpus, 8) else None
    if not way.memory.fits and not (found and found.same):
        return Unfit(
            f"{method} training of {model} takes {way.memory.required_gb:.1f} GB on each of "
            f"{gpus} x {gpu}, which have {way.memory.available_gb:.1f} GB for it"
        )
    if found is not None:
        label = "measured" if found.same else "interpolated"
        return _answer(model, way, gpu, gpus, found.tokens_per_s, label, found.provenance)
    if way.speed is None:
        return Unfit(f"compute rate of {gpu} is not known")
    pace = way.speed.tokens_per_s
    return _answer(model, way, gpu, gpus, pace, "modelled", f"{way.words}; {MODELLED}")


def _answer(
    model: str, way: Way, gpu: str, gpus: int, tokens_per_s: float, label: str, provenance: str
) -> Training:
    error = expected_error(label, way.setup.method)
    return Training(
        tokens_per_s,
        _mfu(model, way.setup, gpu, gpus, tokens_per_s),
        way.memory,
        label,
        provenance,
        way.words,
        way.host_gb,
        error.median,
        error.p90,
    )


def _mfu(model: str, setup: Setup, gpu: str, gpus: int, tokens_per_s: float) -> float:
    rate = gpus * (accelerators()[gpu].fp16_tflops or 0.0) * 1e12
    done = tokens_per_s * model_flops_per_token(model_card(model), setup)
    return done / rate if rate else 0.0


def fastest(
    model: str,
    method: str,
    gpu: str,
    gpus_per_node: int,
    nodes: int,
    sequence_tokens: int,
    micro_batch: int,
    accumulation: int,
    options: TrainingOptions = ANYHOW,
) -> Way:
    """The fastest allowed way that fits; the leanest where none does."""
    card = model_card(model)
    gang = Gang(accelerators()[gpu], gpus_per_node, nodes, options.fabric_gbit_s)
    base = Setup(
        method,
        sequence_tokens,
        micro_batch,
        accumulation,
        optimizer=options.optimizer,
        precision=options.precision,
        framework=options.framework,
        lora_rank=options.lora_rank,
    )
    best: Way | None = None
    leanest: Way | None = None
    splits = _splits(card, gang, (1,) if base.stack == "hf" else options.tensor_parallel)
    for split, chunked in itertools.product(splits, options.chunked_loss):
        divided = replace(base, tensor_parallel=split, chunked_loss=chunked)
        setups = list(_setups(divided, gang, options))
        least = training_memory(card, setups[-1], gang) if setups else None
        if least is not None and not least.fits:  # the last takes least memory
            if leanest is None or least.required_gb < leanest.memory.required_gb:
                leanest = Way(setups[-1], least, None, 0.0)
            continue
        for setup in setups:
            memory = training_memory(card, setup, gang)
            if memory.fits:
                way = Way(setup, memory, training_speed(card, setup, gang), 0.0)
                if best is None or _pace(way) > _pace(best):
                    best = way
        if best is not None:
            break
    found = best or leanest
    if found is None:
        raise ValueError("no way to train is allowed")
    return replace(found, host_gb=host_bytes(card, found.setup, gang) / GB)


def _pace(way: Way) -> float:
    return way.speed.tokens_per_s if way.speed else 0.0


def _splits(card: ModelCard, gang: Gang, allowed: Sequence[int]) -> Iterator[int]:
    """Degrees of tensor parallelism, smallest first: whole heads, inside a node."""
    for split in sorted(allowed):
        if gang.gpus_per_node % split == 0 and card.heads % split == 0:
            yield split


def _setups(base: Setup, gang: Gang, options: TrainingOptions) -> Iterator[Setup]:
    alone = gang.gpus == base.tensor_parallel
    for strategy in options.strategies if not alone else ("ddp",):
        if strategy == "hsdp" and gang.nodes == 1 and "zero-3" in options.strategies:
            continue  # the same on one node
        if base.adapters and strategy in ("zero-1", "zero-2") and "ddp" in options.strategies:
            continue  # adapters have next to no states to divide
        for checkpointing in options.checkpointing:
            for offload in options.offload:
                yield replace(base, strategy=strategy, checkpointing=checkpointing, offload=offload)
