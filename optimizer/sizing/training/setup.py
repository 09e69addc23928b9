"""How a model is trained, and on what: the questions that training is sized by."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.model_cards import ModelCard
from providers.hardware import Accelerator

METHODS = ("pretrain", "full", "lora", "qlora")
STRATEGIES = ("ddp", "zero-1", "zero-2", "hsdp", "zero-3")
"""ddp: every GPU holds all. zero-1, -2, -3 divide the optimizer states, gradients and weights over
all GPUs (zero-3 is FSDP); hsdp divides everything inside a node only."""
OPTIMIZERS = ("adamw", "adamw-bf16", "adamw-8bit", "sgd")
"""adamw: mixed precision with a 32-bit copy of the weights. adamw-bf16: weights and moments in 16
bits. adamw-8bit: 16-bit weights, block-wise 8-bit moments. sgd: 16-bit weights, no moments."""
CHECKPOINTING = ("none", "selective", "full")
"""Activations computed again in the backward pass: none; all but the outputs of the large
multiplications; everything but one input per layer."""
OFFLOADS = ("none", "optimizer", "all")
"""What lives in host memory: nothing; optimizer states; optimizer states, gradients, weights."""
FRAMEWORKS = ("hf", "native", "tuned")
"""hf: Hugging Face Trainer, PEFT and what builds on them. native: Megatron, FSDP with fused kernels
or torch.compile, DeepSpeed with flash attention. tuned: hand-written kernels (Transformer Engine
in NeMo, LLMQ)."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a model is trained."""

    method: str
    sequence_tokens: int
    micro_batch: int
    """Sequences that one replica of the model processes at once."""
    accumulation: int
    """Micro-steps between two optimizer steps."""
    strategy: str = "ddp"
    checkpointing: str = "full"
    optimizer: str = "adamw"
    offload: str = "none"
    precision: str = "bf16"
    """Of the large multiplications: bf16 or fp8."""
    framework: str = ""
    """One of `FRAMEWORKS`; empty: the usual one for the method."""
    lora_rank: int = 16
    base: str = "nf4"
    """Format of the frozen weights under qlora."""
    chunked_loss: bool = False
    """Logits are computed and dropped piece by piece."""
    step_in_backward: bool = False
    """Each gradient is used up as soon as it is there; no accumulation."""
    flash_attention: bool = True
    """False: an older fused kernel, about half as fast."""
    trains_embeddings: bool = False
    """Adapters, and embedding and head in full."""
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    context_parallel: int = 1
    virtual_stages: int = 1

    @property
    def adapters(self) -> bool:
        return self.method in ("lora", "qlora")

    @property
    def stack(self) -> str:
        """The framework, or the usual one: adapters are mostly trained with Hugging Face's."""
        if self.framework:
            return self.framework
        return "hf" if self.adapters else "native"

    @property
    def replica_gpus(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel * self.context_parallel

    @property
    def local_tokens(self) -> float:
        """Tokens of one micro-step on one GPU."""
        return self.sequence_tokens * self.micro_batch / self.context_parallel


@dataclass(frozen=True, slots=True)
class Gang:
    """Equal nodes that train together."""

    gpu: Accelerator
    gpus_per_node: int
    nodes: int = 1
    fabric_gbit_s: float | None = None
    """Between nodes, of one node, one direction; None: what such nodes usually have."""
    host_link_gb_s: float | None = None
    """Of one GPU, one direction; None: the card's own."""

    @property
    def gpus(self) -> int:
        return self.gpus_per_node * self.nodes

    @property
    def fabric_bytes_per_s(self) -> float:
        """Of one node. The reference designs have one port a GPU: 200 Gb/s with A100s, 400 with
        H100s and later. Nodes without NVLink: 25 Gb/s Ethernet in all, assumed."""
        gbit = self.fabric_gbit_s
        if gbit is None and self.gpu.nvlink_gb_s == 0:
            gbit = 25.0
        elif gbit is None:
            gbit = (200.0 if self.gpu.host_link_gb_s < 60 else 400.0) * self.gpus_per_node
        return gbit * 1e9 / 8


def adapter_params(card: ModelCard, rank: int) -> float:
    """Parameters of LoRA adapters on the attention and dense MLP matrices.

    A matrix of (in, out) gets rank x (in + out). Experts get none.
    Source: Hu et al. 2021, arXiv:2106.09685.
    """
    query, key = card.heads * card.head_dim, card.kv_heads * card.head_dim
    ends = 2 * (card.hidden + query) + 2 * (card.hidden + key)
    if not card.mixture_of_experts and card.intermediate is not None:
        ends += (3 if card.mlp_type == "gated" else 2) * (card.hidden + card.intermediate)
    return float(rank * card.layers * ends)


def trained_params(card: ModelCard, setup: Setup) -> float:
    """Parameters that get a gradient."""
    if not setup.adapters:
        return card.params_total_b * 1e9
    trained = adapter_params(card, setup.lora_rank)
    if setup.trains_embeddings:
        trained += 1e9 * outside_params_b(card)
    return trained


def outside_params_b(card: ModelCard) -> float:
    """Billions of parameters of the embedding, and of the head where it is not the same tensor."""
    return card.params_embedding_b + (0.0 if card.tied_embeddings else card.params_lm_head_b)


def layer_values(card: ModelCard) -> float:
    """Values per token that one layer keeps for its backward pass when nothing is recomputed.

    Those of two norms; queries, keys and values before and after rotation; the
    attention's output; and the hidden tensors of the MLP. Attention scores are not among them:
    flash attention (Dao et al. 2022, arXiv:2205.14135) computes them again.
    Source of the method: Korthikanti et al. 2022, arXiv:2205.05198.
    """
    query, key = card.heads * card.head_dim, card.kv_heads * card.head_dim
    routed = (card.moe_intermediate or 0) * (card.experts_per_token or 0)
    wide = routed + (card.moe_intermediate or 0) * (card.shared_experts or 0)
    if not wide:
        wide = card.intermediate or 4 * card.hidden
    inside = 3.0 * query + 3.0 * key + (4 if card.mlp_type == "gated" else 2) * wide
    return norm_values(card) + inside


def norm_values(card: ModelCard) -> float:
    """Of `layer_values`, those of the two norms, which tensor parallelism does not divide: input,
    output, and a 32-bit copy, which counts twice."""
    return 8.0 * card.hidden
