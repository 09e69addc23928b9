"""The number format that a configuration's `quantization_config` or `torch_dtype` names."""

from __future__ import annotations

from typing import Any

from providers.errors import DocumentError
from providers.yaml_text import Source

_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "bf16", "float8_e4m3fn": "fp8"}
"""Weights published in 32 bits are served in 16."""


def precision_of(source: Source, data: dict[str, Any]) -> str | None:
    """Id of the format, such as gptq-int4-g32; None where the file does not say.

    Raises:
        DocumentError: a quantisation that sizing does not know.
    """
    found = data.get("quantization_config") or source.data.get("quantization_config")
    if not isinstance(found, dict):
        dtype = data.get("torch_dtype") or data.get("dtype") or source.data.get("torch_dtype")
        return _DTYPES.get(str(dtype).removeprefix("torch.")) if dtype else None
    method = str(found.get("quant_method") or "")
    bits = found.get("bits") or found.get("w_bit")
    if method in ("gptq", "awq") and bits in (4, 8):
        group = found.get("group_size", found.get("q_group_size", 128))
        if (bits, method) != (8, "awq"):
            return f"{method}-int{bits}{_suffix(group)}"
    if method in ("fp8", "fbgemm_fp8"):
        return "fp8"
    if method == "mxfp4":
        return "mxfp4"
    if method == "bitsandbytes":
        if found.get("load_in_8bit"):
            return "bnb-int8"
        return "nf4-dq" if found.get("bnb_4bit_use_double_quant") else "nf4"
    if method == "compressed-tensors":
        weights = _first_weights(found)
        if weights is not None:
            return weights
    hint = "known are gptq, awq, fp8, mxfp4, bitsandbytes; or remove it and give --precision"
    message = f"the quantisation is not known, found '{method or found}'"
    raise DocumentError([source.fault(("quantization_config",), message, hint)])


def _first_weights(found: dict[str, Any]) -> str | None:
    """The weights of a `compressed-tensors` checkpoint: those of its first group."""
    groups = found.get("config_groups")
    first: Any = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    if not isinstance(weights, dict):
        return None
    bits, kind = weights.get("num_bits"), weights.get("type")
    if bits == 8:
        return "fp8" if kind == "float" else "gptq-int8-channel"
    return f"gptq-int4{_suffix(weights.get('group_size') or -1)}" if bits == 4 else None


def _suffix(group: object) -> str:
    """How ids write the size of a group; 128 is the usual one."""
    return "" if group == 128 else "-channel" if group == -1 else f"-g{group}"
