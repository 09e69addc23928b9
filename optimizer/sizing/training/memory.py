"""Memory that training takes: of one GPU, and of the host. Pure functions."""

from __future__ import annotations

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import GB, GIB
from optimizer.sizing.memory import MemoryBreakdown, weights_bytes
from optimizer.sizing.reservation import visible_bytes
from optimizer.sizing.training.constants import Constants, constants
from optimizer.sizing.training.setup import (
    Gang,
    Setup,
    layer_values,
    norm_values,
    outside_params_b,
    trained_params,
)

STATE_BYTES = {
    "adamw": (2.0, 2.0, 12.0),
    "adamw-bf16": (2.0, 2.0, 4.0),
    "adamw-8bit": (2.0, 2.0, 2.03),
    "sgd": (2.0, 2.0, 0.0),
}
"""Weight, gradient and optimizer bytes per trained parameter. adamw: 32-bit weight and two
moments (Rajbhandari et al. 2020, ZeRO, arXiv:1910.02054). 8-bit: two moments with a 32-bit scale
per 256 values (Dettmers et al. 2022, arXiv:2110.02861)."""
STEP_COPY_BYTES = 8.0
"""Per parameter: two 32-bit temporaries of PyTorch's multi-tensor Adam while it steps, when no
activation is alive. Fused optimizers, and DeepSpeed's, have none."""
CHUNKS = 8.0
"""Pieces that a chunked loss computes its logits in."""
USABLE_SHARE = 0.97
"""Of a card's memory that a training process can get; the driver keeps the rest."""


def training_memory(
    card: ModelCard, setup: Setup, gang: Gang, known: Constants | None = None
) -> MemoryBreakdown:
    """Memory of the fullest GPU of a gang.

    Source: Rajbhandari et al. 2020, arXiv:1910.02054 (states); Korthikanti et al. 2022,
    arXiv:2205.05198 (activations).
    """
    c = known or constants()
    weights, gradients, moments, gathered = _held(card, setup, gang)
    activations = _activations(card, setup, c) + gathered
    if _copies_at_step(setup):
        activations = max(activations, STEP_COPY_BYTES * trained_params(card, setup))
    if setup.accumulation == 1:
        # Gradients come as activations go, and are dropped before the next forward pass.
        gradients = min(gradients, max(0.0, gradients + gathered - activations))
    # What the allocator cannot reuse grows with what comes and goes.
    spare = c["memory context"] * GB + c["memory fragments"] * activations
    spare += c["memory peers"] * GB if gang.gpus > 1 else 0.0
    if gang.gpu.unified_memory:
        available, spare = visible_bytes(gang.gpu), 0.0
    else:
        available = gang.gpu.memory_gb * GIB * USABLE_SHARE
    return MemoryBreakdown(
        weights_gb=weights / GB,
        kv_cache_gb=0.0,
        activations_gb=activations / GB,
        states_gb=(gradients + moments) / GB,
        overhead_gb=spare / GB,
        available_gb=available / GB,
    )


def _copies_at_step(setup: Setup) -> bool:
    plain = setup.strategy == "ddp" and setup.offload == "none" and not setup.adapters
    return plain and setup.stack == "hf" and setup.optimizer == "adamw"


def _shares(setup: Setup, gang: Gang) -> tuple[float, float, float]:
    """GPUs that weights, gradients and optimizer states are divided over by the strategy."""
    replicas = max(1, gang.gpus // (setup.tensor_parallel * setup.pipeline_parallel))
    if setup.strategy == "hsdp":
        inside = max(1, min(replicas, gang.gpus_per_node // setup.tensor_parallel))
        return inside, inside, inside
    return (
        replicas if setup.strategy == "zero-3" else 1,
        replicas if setup.strategy in ("zero-2", "zero-3") else 1,
        1 if setup.strategy == "ddp" else replicas,
    )


def _held(card: ModelCard, setup: Setup, gang: Gang) -> tuple[float, float, float, float]:
    """Bytes of weights, of gradients, of optimizer states, and of layers gathered to run."""
    split = setup.tensor_parallel * setup.pipeline_parallel
    by_weights, by_gradients, by_states = _shares(setup, gang)
    weight, gradient, optimizer = STATE_BYTES[setup.optimizer]
    trained = trained_params(card, setup) / split
    base = 0.0
    if setup.adapters:
        base = weights_bytes(card, setup.base if setup.method == "qlora" else "bf16") / split
        if setup.method == "qlora" and (setup.base, setup.stack) == ("nf4", "hf"):
            # PEFT raises what is not quantised to 32 bits before training.
            base += 2e9 * outside_params_b(card) / split
    held = base + trained * weight
    layer = held / (card.layers / setup.pipeline_parallel)
    gathered = 0.0
    if by_weights > 1 or setup.offload == "all":
        # The layer that runs, the ones before and behind it; embedding and head all along.
        gathered = 3.0 * layer + 2e9 * outside_params_b(card) / setup.tensor_parallel
    if setup.trains_embeddings:
        # Adapter libraries copy what is trained in full beside the frozen original, and keep
        # no 32-bit weights: 2 + 2 + 8 bytes.
        optimizer -= 4.0 * outside_params_b(card) * 1e9 / split / trained
    gradients = trained * gradient / by_gradients
    if setup.step_in_backward or setup.offload != "none":
        gradients = min(gradients, 2.0 * layer)
    moments = 0.0 if setup.offload != "none" else trained * optimizer / by_states
    weights = 0.0 if setup.offload == "all" else held / by_weights
    return weights, gradients, moments, gathered


def _activations(card: ModelCard, setup: Setup, c: Constants) -> float:
    """Bytes of one micro-step's activations and logits."""
    tokens = setup.local_tokens
    norms = norm_values(card)
    values = norms + (layer_values(card) - norms) / setup.tensor_parallel
    one = 2.0 * values * c[f"memory layer {setup.stack}"]
    kept = 2.0 * card.hidden
    if setup.checkpointing == "selective":
        kept += 0.4 * one
    elif setup.checkpointing == "none":
        kept = one
    # A first pipeline stage holds as many micro-batches as there are stages, of its own layers.
    held = tokens * card.layers * kept
    if setup.checkpointing != "none":
        held += tokens * one * c["memory working"]
    logits = tokens * card.vocab * c[f"memory logits {setup.stack}"] / setup.tensor_parallel
    return held + (logits / CHUNKS if setup.chunked_loss else logits)


def host_bytes(card: ModelCard, setup: Setup, gang: Gang) -> float:
    """Bytes that offloading puts into one node's memory, beside the checkpoint being loaded.

    Gradients arrive in 32 bits: the processor's Adam adds to them.
    """
    if setup.offload == "none":
        return 0.0
    _, _, optimizer = STATE_BYTES[setup.optimizer]
    each = optimizer + (4.0 if setup.optimizer == "adamw" else 2.0)
    trained = trained_params(card, setup)
    held = trained * each
    if setup.offload == "all":
        base = weights_bytes(card, setup.base if setup.method == "qlora" else "bf16")
        held += base + 2.0 * trained if setup.adapters else base
    copies = gang.gpus_per_node if setup.strategy == "ddp" else 1
    return held * copies / (gang.nodes if setup.strategy in ("zero-1", "zero-2", "zero-3") else 1)
