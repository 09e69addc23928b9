"""What would make training fit that does not: fewer bytes, more hardware, or another method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from optimizer.sizing.gang import ANYHOW, TrainingOptions, Way, fastest
from optimizer.sizing.training.setup import CHECKPOINTING, STRATEGIES
from providers.hardware import accelerators

MOST_NODES = 64
SHORTEST_SEQUENCE = 512


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change after which the training fits."""

    change: str
    """In the user's words, such as `optimizer adamw-8bit`."""
    nodes: int
    way: Way


def remedies(
    model: str,
    method: str,
    gpu: str,
    gpus_per_node: int,
    nodes: int,
    *,
    sequence_tokens: int,
    micro_batch: int,
    accumulation: int,
    options: TrainingOptions = ANYHOW,
) -> tuple[Remedy, ...]:
    """Changes that make it fit, the least intrusive first; empty where nothing does."""
    found: list[Remedy] = []
    asked = _Asked(method, nodes, sequence_tokens, micro_batch, options)
    for change, tried in _changes(asked, gpu):
        if change.startswith("sequences") and any(r.change.startswith("sequences") for r in found):
            continue  # the longest that fit are enough
        way = fastest(
            model,
            tried.method,
            gpu,
            gpus_per_node,
            tried.nodes,
            tried.sequence_tokens,
            tried.micro_batch,
            accumulation,
            tried.options,
        )
        if way.memory.fits:
            found.append(Remedy(change, tried.nodes, way))
    nodes_enough = _nodes(asked, model, gpu, gpus_per_node, accumulation)
    return (*found, *nodes_enough)


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    nodes: int
    sequence_tokens: int
    micro_batch: int
    options: TrainingOptions


def _changes(asked: _Asked, gpu: str) -> Iterator[tuple[str, _Asked]]:
    def allowing(**changed: object) -> _Asked:
        return replace(asked, options=replace(asked.options, **changed))  # type: ignore[arg-type]

    options = asked.options
    if "full" not in options.checkpointing:
        yield "activation checkpointing", allowing(checkpointing=CHECKPOINTING)
    if "zero-3" not in options.strategies:
        yield "states divided over all GPUs (zero-3)", allowing(strategies=STRATEGIES)
    if True not in options.chunked_loss:
        yield "loss computed in chunks", allowing(chunked_loss=(True,))
    if asked.micro_batch > 1:
        yield "micro-batch 1", replace(asked, micro_batch=1)
    shorter = asked.sequence_tokens // 2
    while shorter >= SHORTEST_SEQUENCE:
        yield f"sequences of {shorter} tokens", replace(asked, sequence_tokens=shorter)
        shorter //= 2
    if asked.method in ("full", "pretrain"):
        if options.optimizer != "adamw-8bit":
            yield "optimizer adamw-8bit", allowing(optimizer="adamw-8bit")
        if not accelerators()[gpu].unified_memory:
            for offload in ("optimizer", "all"):
                if offload not in options.offload:
                    what = "optimizer states" if offload == "optimizer" else "all states"
                    yield f"{what} offloaded to the host", allowing(offload=(offload,))
    for method in ("lora", "qlora"):
        if asked.method not in (method, "qlora"):
            yield f"method {method}", replace(asked, method=method)


def _nodes(
    asked: _Asked, model: str, gpu: str, gpus_per_node: int, accumulation: int
) -> Iterator[Remedy]:
    """The fewest nodes that hold it."""
    if accelerators()[gpu].unified_memory:
        return
    batch = (asked.sequence_tokens, asked.micro_batch, accumulation)
    for nodes in range(asked.nodes + 1, MOST_NODES + 1):
        way = fastest(model, asked.method, gpu, gpus_per_node, nodes, *batch, options=asked.options)
        if way.memory.fits:
            yield Remedy(f"{nodes} nodes", nodes, way)
            return
