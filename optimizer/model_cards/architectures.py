"""How each architecture names its shape in a Hugging Face ``config.json``, and what it leaves out.

Names with a dot lie one level down. Where several are given, the first that is there counts.
Source: the configuration classes of transformers 4.55 and the configurations of the models.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Architecture:
    """Field names and defaults of one `model_type`."""

    layers: tuple[str, ...] = ("num_hidden_layers",)
    hidden: tuple[str, ...] = ("hidden_size",)
    heads: tuple[str, ...] = ("num_attention_heads",)
    kv_heads: tuple[str, ...] = ("num_key_value_heads",)
    """Left out in a file: as many as `heads`."""
    head_dim: tuple[str, ...] = ("head_dim",)
    """Left out in a file: hidden / heads."""
    intermediate: tuple[str, ...] = ("intermediate_size",)
    intermediate_default: int | None = None
    """In widths of the residual stream, where a file may leave it out."""
    intermediate_share: float = 1.0
    """Of the number in the file: Qwen v1 writes the gate and the up projection together."""
    positions: tuple[str, ...] = ("max_position_embeddings",)
    vocab: tuple[str, ...] = ("vocab_size",)
    mlp_type: str = "gated"
    tied: bool = False
    """Whether embedding and head are one tensor where a file does not say."""
    qkv_bias: bool = False
    moe: bool = False
    experts: tuple[str, ...] = ("num_experts", "num_local_experts", "n_routed_experts")
    experts_per_token: tuple[str, ...] = ("num_experts_per_tok",)
    moe_intermediate: tuple[str, ...] = ("moe_intermediate_size",)
    defaults: dict[str, int] = field(default_factory=dict)
    """What the architecture's own code assumes for fields that files leave out."""
    window_every: int | None = None
    """Every n-th layer sees the whole context, the others a window."""


_LLAMA = Architecture()
_PLAIN = Architecture(mlp_type="plain", intermediate_default=4)
_GPT2 = replace(
    _PLAIN,
    layers=("n_layer", "num_hidden_layers"),
    hidden=("n_embd", "hidden_size"),
    heads=("n_head", "num_attention_heads"),
    intermediate=("n_inner",),
    positions=("n_positions", "max_position_embeddings"),
)
_GEMMA = Architecture(tied=True, defaults={"num_attention_heads": 8, "head_dim": 256})

ARCHITECTURES: dict[str, Architecture] = {
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "mixtral": Architecture(moe=True, moe_intermediate=("intermediate_size",)),
    "qwen": Architecture(
        intermediate_share=0.5, positions=("seq_length", "max_position_embeddings"), qkv_bias=True
    ),
    "qwen2": Architecture(qkv_bias=True),
    "qwen2_moe": Architecture(qkv_bias=True, moe=True),
    "qwen3": _LLAMA,
    "qwen3_moe": Architecture(moe=True),
    "Yi": _LLAMA,
    "gemma": _GEMMA,
    "gemma2": replace(_GEMMA, window_every=2),
    "gemma3_text": replace(_GEMMA, window_every=6),
    "deepseek": Architecture(moe=True),
    "deepseek_v2": Architecture(moe=True),
    "deepseek_v3": Architecture(moe=True),
    "glm": Architecture(qkv_bias=True),
    "glm4": Architecture(qkv_bias=True),
    "glm4_moe": Architecture(qkv_bias=True, moe=True),
    "chatglm": Architecture(
        layers=("num_layers",),
        kv_heads=("multi_query_group_num",),
        head_dim=("kv_channels",),
        intermediate=("ffn_hidden_size",),
        positions=("seq_length",),
        vocab=("padded_vocab_size", "vocab_size"),
        qkv_bias=True,
    ),
    "phi": replace(_PLAIN, qkv_bias=True),
    "phi3": _LLAMA,
    "phimoe": Architecture(moe=True, moe_intermediate=("intermediate_size",)),
    "falcon": replace(
        _PLAIN,
        tied=True,
        positions=("max_position_embeddings", "n_positions"),
        intermediate=("ffn_hidden_size",),
        defaults={"max_position_embeddings": 2048},
    ),
    "gpt2": replace(_GPT2, tied=True, qkv_bias=True),
    "gpt_bigcode": replace(_GPT2, tied=True, qkv_bias=True),
    "gptj": _GPT2,
    "gpt_neox": replace(_PLAIN, qkv_bias=True),
    "opt": replace(_PLAIN, intermediate=("ffn_dim",), tied=True, qkv_bias=True),
    "bloom": replace(
        _PLAIN,
        layers=("n_layer", "num_hidden_layers"),
        hidden=("hidden_size", "n_embed"),
        heads=("n_head", "num_attention_heads"),
        intermediate=(),
        positions=("seq_length",),
        tied=True,
        qkv_bias=True,
        defaults={"seq_length": 2048},
    ),
    "mpt": replace(
        _PLAIN,
        layers=("n_layers",),
        hidden=("d_model",),
        heads=("n_heads",),
        kv_heads=("attn_config.kv_n_heads",),
        intermediate=(),
        positions=("max_seq_len",),
        tied=True,
    ),
    "starcoder2": replace(_PLAIN, tied=True, qkv_bias=True),
    "stablelm": _LLAMA,
    "internlm": Architecture(qkv_bias=True),
    "internlm2": _LLAMA,
    "baichuan": Architecture(positions=("max_position_embeddings", "model_max_length")),
    "cohere": Architecture(tied=True),
    "cohere2": Architecture(tied=True, window_every=4),
    "dbrx": Architecture(
        layers=("n_layers",),
        hidden=("d_model",),
        heads=("n_heads",),
        kv_heads=("attn_config.kv_n_heads",),
        intermediate=(),
        positions=("max_seq_len",),
        moe=True,
        experts=("ffn_config.moe_num_experts",),
        experts_per_token=("ffn_config.moe_top_k",),
        moe_intermediate=("ffn_config.ffn_hidden_size",),
    ),
    "olmo": _LLAMA,
    "olmo2": _LLAMA,
    "olmoe": Architecture(moe=True, moe_intermediate=("intermediate_size",)),
    "granite": _LLAMA,
    "gpt_oss": Architecture(
        moe=True, moe_intermediate=("intermediate_size",), qkv_bias=True, window_every=2
    ),
}
"""By `model_type`. `intermediate` without a name: always `intermediate_default` widths."""

GENERIC_FIELDS = (
    "num_hidden_layers",
    "hidden_size",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "tie_word_embeddings",
)
"""What a file must say for an architecture that is not known to be taken as a plain decoder."""
