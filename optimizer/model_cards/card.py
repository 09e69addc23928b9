"""What sizing needs to know of a language model."""

from __future__ import annotations

from dataclasses import dataclass, field

from optimizer.model_cards.shapes import active_linear_params, linear_params, small_params


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Shape of one language model. None: the model has no such part."""

    id: str
    hf_id: str
    """Name on the Hugging Face hub."""
    layers: int
    hidden: int
    """Width of the residual stream, in values."""
    heads: int
    kv_heads: int
    """Fewer than `heads` under grouped-query attention."""
    head_dim: int
    """Width of one head, in values; of the query and key parts under MLA."""
    intermediate: int | None
    """Width of a dense MLP; None when every layer is a mixture of experts."""
    experts: int | None
    """Routed experts per mixture layer."""
    experts_per_token: int | None
    moe_intermediate: int | None
    """Width of one expert."""
    shared_experts: int | None
    dense_layers: int | None
    """Leading layers that have a dense MLP in a mixture model."""
    mlp_type: str
    """gated (three matrices) or plain (two)."""
    qkv_bias: bool
    mla_kv_dim: int | None
    """Values cached per token and layer under multi-head latent attention."""
    vocab: int
    tied_embeddings: bool
    max_context_tokens: int
    published_params_b: float | None
    """What the makers say; None where nobody said it (a card read from a file)."""
    source: str
    note: str
    architecture: str = "llama"
    """`model_type` of the Hugging Face configuration."""
    quantised_intermediate: int | None = None
    """Width that Int4 and Int8 builds pad a dense MLP to; None where they keep it."""
    sliding_window_tokens: int | None = None
    """Tokens that a windowed layer looks back; None where every layer sees the whole context."""
    full_attention_layers: int | None = None
    """Layers without the window, where there is one; 0 when all have it."""
    q_lora_rank: int | None = None
    """MLA: width that queries are compressed to; None when they are not."""
    rope_head_dim: int | None = None
    """MLA: part of `head_dim` that carries the position."""
    v_head_dim: int | None = None
    """MLA: width of one head's values."""
    precision: str | None = None
    """Number format of the checkpoint, where a configuration names one."""
    params_total_b: float = field(init=False)
    """Billions (1e9); this and what follows is counted from the shape."""
    params_active_b: float = field(init=False)
    """Billions that one token passes through."""
    params_embedding_b: float = field(init=False)
    params_lm_head_b: float = field(init=False)
    """Billions; the same tensor as the embedding where `tied_embeddings`."""
    params_linear_b: float = field(init=False)
    """Billions in the linear layers of the blocks: what quantisation shrinks."""
    kv_bytes_per_token_16bit: int = field(init=False)
    """Bytes of keys and values for one token, over all layers, at two bytes a value."""

    def __post_init__(self) -> None:
        linear, embedding = linear_params(self), self.vocab * self.hidden
        outside = embedding * (1 if self.tied_embeddings else 2) + small_params(self)
        if self.mla_kv_dim is not None:
            cached = self.layers * self.mla_kv_dim
        else:
            cached = 2 * self.layers * self.kv_heads * self.head_dim
        counted = {
            "params_total_b": (linear + outside) / 1e9,
            "params_active_b": (active_linear_params(self) + outside) / 1e9,
            "params_embedding_b": embedding / 1e9,
            "params_lm_head_b": embedding / 1e9,
            "params_linear_b": linear / 1e9,
            "kv_bytes_per_token_16bit": cached * 2,
        }
        for name, value in counted.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        """Of what tells cards apart: sizes are kept by card, and asked for thousands of times."""
        return hash((self.id, self.source))

    @property
    def mixture_of_experts(self) -> bool:
        return self.experts is not None

    @property
    def windowed_layers(self) -> int:
        """Layers that keep no more than `sliding_window_tokens` in the cache."""
        if self.sliding_window_tokens is None:
            return 0
        return self.layers - (self.full_attention_layers or 0)
