"""How a model lies on the GPUs of one replica: bytes on the fullest GPU, and what they leave.

Tensor parallelism gives each GPU a share of every layer, and copies of norms, routers and of keys
that it cannot divide. A split by layers (pipeline parallelism, llama.cpp, device_map) gives whole
layers: the fullest GPU holds one more than the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from optimizer.model_cards import ModelCard
from optimizer.sizing.constants import ENGINES, GGUF_ENGINES
from optimizer.sizing.kv_cache import sequence_bytes
from optimizer.sizing.reservation import Reservation, fitted_memory, reservations, visible_bytes
from optimizer.sizing.weights import Weights, weights
from providers.hardware import Accelerator

LOGIT_BYTES = 4.0
"""Logits are 32-bit."""
MLP_VALUES = 3.0
"""Of the MLP's width: gate, up and their product."""
SCORE_BYTES = 4.0
"""llama.cpp without flash attention, as Ollama ran it until 2025, writes 32-bit scores out."""
LOGIT_ROWS = 256
"""Sequences whose next-token logits an engine keeps room for."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A model at a precision, on an engine and `gpus` GPUs of one kind. Bytes, per GPU."""

    card: ModelCard
    precision: str
    engine: str
    gpu: Accelerator
    gpus: int
    pipeline: int
    """Stages that split the model by layers."""
    kv_precision: str = "bf16"
    offload_layers: int = 0
    """Layers whose weights and cache stay in host memory."""
    memory_share: float | None = None
    """What the engine's own flag is set to; None: its default."""

    @property
    def tensor(self) -> int:
        """GPUs that share each layer."""
        return self.gpus // self.pipeline

    @property
    def policy(self) -> Reservation:
        usual = reservations()[self.engine]
        if self.memory_share is None:
            return usual
        return replace(usual, share=self.memory_share)

    @property
    def stored(self) -> Weights:
        return weights(self.card, self.precision)

    @property
    def layers(self) -> float:
        """Layers on the fullest GPU, a head that fills a GPU's share counted as layers too."""
        on_gpus = self.card.layers - self.offload_layers
        if self.pipeline == 1:
            return on_gpus
        each = self.stored.linear / self.card.layers
        units = on_gpus + self._outside / each
        return min(math.ceil(units / self.pipeline), on_gpus)

    @property
    def _outside(self) -> float:
        """Embedding and head on the GPUs: llama.cpp looks embeddings up in host memory."""
        if self.engine in GGUF_ENGINES and not self.card.tied_embeddings:
            return self.stored.head
        return self.stored.embedding + self.stored.head

    @property
    def weights(self) -> float:
        """On the fullest GPU."""
        parts, all_layers = self.stored, self.card.layers
        held = parts.linear * self.layers / all_layers / self.tensor
        if self.pipeline == 1:
            held += self._outside / self.tensor
        return held + parts.small

    @property
    def weights_together(self) -> float:
        """On all GPUs."""
        parts, all_layers = self.stored, self.card.layers
        held = parts.linear * (all_layers - self.offload_layers) / all_layers
        return held + self._outside + parts.small * self.gpus

    @property
    def host(self) -> float:
        """In host memory: layers left there, and embeddings that llama.cpp looks up there."""
        parts = self.stored
        held = parts.linear * self.offload_layers / self.card.layers
        return held + parts.embedding + parts.head - self._outside

    def tokens_at_once(self, prompt_tokens: float) -> float:
        """Longest piece of a prompt that there is room to work on; those who reserve ahead keep
        room for the longest they admit, whatever the prompt."""
        chunk = self.policy.chunk(self.gpu)
        if chunk is None:
            return prompt_tokens
        return min(prompt_tokens, chunk) if self.policy.as_needed else chunk

    def activations(self, prompt_tokens: float) -> float:
        """While `tokens_at_once` of a prompt are worked on."""
        return sum(self.work(prompt_tokens).values())

    def work(self, prompt_tokens: float) -> dict[str, float]:
        """The same by what it is: layers, scores, logits."""
        tokens, gguf = self.tokens_at_once(prompt_tokens), self.engine in GGUF_ENGINES
        found = {"layers": activation_bytes(self.card, tokens, self.tensor)}
        if gguf:
            found["scores"] = tokens * prompt_tokens * self.card.heads * SCORE_BYTES
        if self.policy.chunk_tokens is not None and self.pipeline == 1:
            # Split by layers, logits are made on the GPU of the head, which has fewer layers.
            rows = tokens if gguf else LOGIT_ROWS
            found["logits"] = rows * self.card.vocab * LOGIT_BYTES / self.tensor
        return found

    def sequence(self, tokens: float) -> float:
        """Cache of one sequence of `tokens`, on the fullest GPU."""
        return self._cached(tokens, self.tensor, self.layers)

    def host_sequence(self, tokens: float) -> float:
        """Cache of one sequence in host memory: that of the layers left there."""
        return self._cached(tokens, 1, self.offload_layers)

    def _cached(self, tokens: float, tensor: int, layers: float) -> float:
        return sequence_bytes(
            self.card,
            tokens,
            kv_precision=self.kv_precision,
            block_tokens=self.policy.block_tokens,
            windows=self.policy.windows,
            tensor=tensor,
            layers=layers,
        )

    def sequence_together(self, tokens: float) -> float:
        """The same over all GPUs, copies counted."""
        if self.pipeline == 1:
            return self.sequence(tokens) * self.gpus
        on_gpus = self.card.layers - self.offload_layers
        return self.sequence(tokens) / self.layers * on_gpus * self.tensor

    def cache(self, prompt_tokens: float) -> float:
        """What is left for the cache of the fullest GPU; below 0 when not even weights fit."""
        policy, visible = self.policy, self.visible
        held, work = self.weights, self.activations(prompt_tokens)
        free = visible - self.fixed - held - work
        if policy.policy == "share of card":
            return free - (1.0 - policy.share) * visible
        if policy.policy == "weights and cache":
            return min(policy.share * visible - held, free)
        return policy.share * free if free > 0 else free

    @property
    def visible(self) -> float:
        return visible_bytes(self.gpu)

    @property
    def fixed(self) -> float:
        """Context and libraries; a Mac counts them with the system's own memory."""
        return 0.0 if self.gpu.unified_memory else self.policy.fixed_bytes

    def claimed(self, prompt_tokens: float, sequences: float, tokens: float) -> float:
        """What tools such as nvidia-smi show, on the fullest GPU: engines reserve ahead."""
        policy = self.policy
        if policy.policy == "share of card":
            return min(policy.share * self.visible + policy.graph_bytes, self.visible)
        used = self.fixed + policy.graph_bytes + self.weights + self.activations(prompt_tokens)
        if policy.as_needed:
            return used + sequences * self.sequence(tokens)
        return min(used + max(self.cache(prompt_tokens), 0.0), self.visible)

    def most_sequences(self, prompt_tokens: float, tokens: float) -> int:
        """Sequences of `tokens` whose cache fits beside the weights; 0 when not one does."""
        free = self.cache(prompt_tokens)
        return max(int(free // self.sequence(tokens)), 0)

    def longest_prompt(self, sequences: int, tokens: float, *, reserve: int) -> int:
        """The longest prompt that one more request may bring while `sequences` of `tokens` run.

        Args:
            sequences: requests that run, each at full length.
            tokens: prompt and answer of each.
            reserve: tokens of the answer that the new request will want.

        Returns:
            Tokens; 0 when nothing more fits. No more than the model's context.
        """
        low, high = 0, self.card.max_context_tokens - reserve
        while low < high:
            middle = (low + high + 1) // 2
            free = self.cache(middle) - sequences * self.sequence(tokens)
            if self.sequence(middle + reserve) <= free:
                low = middle
            else:
                high = middle - 1
        return max(low, 0)


def activation_bytes(card: ModelCard, tokens: float, tensor: int = 1) -> float:
    """Working memory of one layer while `tokens` of prompts pass, per GPU, 16-bit.

    Gate, up and their product of the MLP's width, divided among `tensor` GPUs, and some values of
    the residual stream's width, which each GPU keeps: ``data/sizing/memory.csv``.
    """
    width = MLP_VALUES * intermediate_width(card) / tensor
    return 2.0 * tokens * (width + fitted_memory()["residual_values"] * card.hidden)


def intermediate_width(card: ModelCard) -> int:
    """Width of the widest MLP that one token passes through, in values."""
    routed = (card.moe_intermediate or 0) * (
        (card.experts_per_token or 0) + (card.shared_experts or 0)
    )
    return max(card.intermediate or 0, routed, card.hidden)


def placement(
    card: ModelCard,
    precision: str,
    engine: str,
    gpu: Accelerator,
    gpus: int,
    *,
    kv_precision: str = "bf16",
    offload_layers: int = 0,
    pipeline: int | None = None,
    memory_share: float | None = None,
) -> Placement:
    """The usual placement: heads divided where the engine can, else whole layers."""
    if pipeline is None:
        pipeline = 1 if ENGINES[engine].tensor_parallel else gpus
    return Placement(
        card, precision, engine, gpu, gpus, pipeline, kv_precision, offload_layers, memory_share
    )
