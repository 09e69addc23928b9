"""Sizing of a training gang: the strategy that fits, its speed, and what was measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from optimizer.model_cards import model_card
from optimizer.sizing.measured import training_match
from optimizer.sizing.memory import MemoryBreakdown
from optimizer.sizing.replica import MODELLED
from optimizer.sizing.results import BY_USER, MeasuredRate, Training, Unfit
from optimizer.sizing.training import STRATEGIES, GangSpeed, flops_per_token, gang_speed
from optimizer.sizing.training_memory import training_memory
from providers.hardware import accelerators


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
) -> Training | Unfit:
    """Tokens per second of `nodes` equal nodes training together.

    The fastest of DDP, ZeRO-1 and ZeRO-3 (FSDP) whose states fit; nothing is offloaded to host
    memory. A user's measurement of one node is carried to several by the model's scaling, and
    counts even where the memory model sees no room: the user may offload, or use 8-bit states.
    """
    batch = (sequence_tokens, micro_batch, accumulation)
    own = [rate[2] for rate in measured if (rate[0], rate[1]) == (gpu, gpus_per_node)]
    found = _gang(model, method, gpu, gpus_per_node, nodes, *batch)
    if not own:
        return found
    _, memory, speed = _fastest(model, method, gpu, gpus_per_node, nodes, *batch)
    _, _, one = _fastest(model, method, gpu, gpus_per_node, 1, *batch)
    scaling = speed.tokens_per_s / one.tokens_per_s if speed and one else float(nodes)
    tokens_per_s = max(own) * min(scaling, nodes)
    provenance = BY_USER if nodes == 1 else f"{BY_USER} on one node, scaled to {nodes} by the model"
    mfu = _mfu(model, method, gpu, gpus_per_node * nodes, sequence_tokens, tokens_per_s)
    return Training(tokens_per_s, mfu, memory, "measured", provenance)


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
) -> Training | Unfit:
    batch = (sequence_tokens, micro_batch, accumulation)
    strategy, memory, speed = _fastest(model, method, gpu, gpus_per_node, nodes, *batch)
    gpus = gpus_per_node * nodes
    if accelerators()[gpu].unified_memory and gpus > 1:
        return Unfit(f"several {gpu} do not train one model together")
    if not memory.fits:
        return Unfit(
            f"{method} training of {model} takes {memory.required_gb:.1f} GB on each of "
            f"{gpus} x {gpu}, which have {memory.available_gb:.1f} GB for it"
        )
    if speed is None:
        return Unfit(f"compute rate of {gpu} is not known")
    row = training_match(
        model_card(model),
        method,
        gpu,
        gpus,
        sequence_tokens=sequence_tokens,
        micro_batch=micro_batch,
    )
    if row is not None and row.tokens_per_s is not None and gpus_per_node == min(gpus, 8):
        mfu = _mfu(model, method, gpu, gpus, sequence_tokens, row.tokens_per_s)
        what = f"{row.model} {row.method} on {row.gpus}x{row.hardware}"
        provenance = f"{row.id}: {what}, {row.source}, {row.date}"
        return Training(row.tokens_per_s, mfu, memory, "measured", provenance)
    return Training(speed.tokens_per_s, speed.mfu, memory, "modelled", f"{strategy}; {MODELLED}")


def _mfu(
    model: str, method: str, gpu: str, gpus: int, sequence_tokens: int, tokens_per_s: float
) -> float:
    rate = gpus * (accelerators()[gpu].fp16_tflops or 0.0) * 1e12
    done = tokens_per_s * flops_per_token(model_card(model), method, sequence_tokens)
    return done / rate if rate else 0.0


def _fastest(
    model: str,
    method: str,
    gpu: str,
    gpus_per_node: int,
    nodes: int,
    sequence_tokens: int,
    micro_batch: int,
    accumulation: int,
) -> tuple[str, MemoryBreakdown, GangSpeed | None]:
    """The fastest strategy that fits; the leanest, with its memory, where none does."""
    card, accelerator, gpus = model_card(model), accelerators()[gpu], gpus_per_node * nodes
    tried: list[tuple[str, MemoryBreakdown, GangSpeed | None]] = []
    for strategy in STRATEGIES if gpus > 1 else STRATEGIES[:1]:
        memory = training_memory(
            card,
            method,
            strategy,
            accelerator,
            gpus,
            sequence_tokens=sequence_tokens,
            micro_batch=micro_batch,
        )
        speed = gang_speed(
            card,
            method,
            strategy,
            accelerator,
            gpus_per_node,
            nodes,
            sequence_tokens=sequence_tokens,
            micro_batch=micro_batch,
            accumulation=accumulation,
        )
        tried.append((strategy, memory, speed))
    fitting = [entry for entry in tried if entry[1].fits]
    if not fitting:
        return min(tried, key=lambda entry: entry[1].required_gb)
    return max(fitting, key=lambda entry: entry[2].tokens_per_s if entry[2] else 0.0)
