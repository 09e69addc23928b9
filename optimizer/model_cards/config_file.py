"""A model card from a Hugging Face ``config.json``, or from the same keys as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from optimizer.model_cards.architectures import ARCHITECTURES, GENERIC_FIELDS, Architecture
from optimizer.model_cards.card import ModelCard
from optimizer.model_cards.quantised import precision_of
from providers import yaml_text
from providers.errors import DocumentError, Fault
from providers.yaml_text import Kind, Place, Source

SUFFIXES = (".json", ".yaml", ".yml")
_KIND = Kind("model", "a configuration is a few kilobytes", "write the keys of a config.json")


def is_model_file(name: str) -> bool:
    """Whether `name` is a path and not a model's name: by its ending, or a folder that is there."""
    return name.endswith(SUFFIXES) or (Path(name) / "config.json").is_file()


def card_from_file(name: str) -> ModelCard:
    """The card for a configuration, or for the folder that holds one.

    Raises:
        DocumentError: with file, line and column: it cannot be read, a field is missing or is no
            count, or the architecture is not known and the fields do not say enough without it.
    """
    path = Path(name)
    if path.is_dir():
        path = path / "config.json"
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DocumentError([Fault(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    return _card(content, str(path))


@lru_cache(maxsize=64)
def _card(content: bytes, name: str) -> ModelCard:
    source = _source(content, name)
    if not isinstance(source.data, dict):
        fault = source.fault((), "a model is a mapping of fields", "see the model's config.json")
        raise DocumentError([fault])
    return _Reader(source).card()


def _source(content: bytes, name: str) -> Source:
    if not name.endswith(".json"):
        return yaml_text.build(yaml_text.compose(content, name, _KIND), name, None)
    try:
        text = content.decode("utf-8-sig")
        data = json.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        fault = Fault(name, line, 0, "", "the file is not UTF-8", "save it with the encoding UTF-8")
        raise DocumentError([fault]) from None
    except json.JSONDecodeError as error:
        message = f"not readable as JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise DocumentError([Fault(name, error.lineno, error.colno, "", message)]) from None
    except RecursionError:
        raise DocumentError([Fault(name, 0, 0, "", "nested too deep")]) from None
    places: dict[yaml_text.Path, Place] = {}
    for match in re.finditer(r'"([^"\\\n]+)"\s*:', text):
        before = text[: match.start()]
        place = Place(before.count("\n") + 1, match.start() - before.rfind("\n"))
        places.setdefault((match[1],), place)
    return Source(name, data, values=places)


class _Reader:
    """Reads one configuration, gathering every fault."""

    def __init__(self, source: Source) -> None:
        self.source = source
        data = source.data
        # Models that also see pictures keep the language model's shape one level down.
        text = data.get("text_config")
        self.data: dict[str, Any] = text if isinstance(text, dict) else data
        self.faults: list[Fault] = []
        self.type = str(self.data.get("model_type") or "")

    def card(self) -> ModelCard:
        arch = self._architecture()
        layers = self._count(arch, arch.layers)
        hidden = self._count(arch, arch.hidden)
        heads = self._count(arch, arch.heads)
        vocab = self._count(arch, arch.vocab)
        positions = self._count(arch, arch.positions)
        if self.faults:
            raise DocumentError(self.faults)
        mla = self._maybe(arch, ("kv_lora_rank",))
        rope = self._maybe(arch, ("qk_rope_head_dim",)) if mla else None
        if mla is not None and rope is not None:
            head_dim = self._count(arch, ("qk_nope_head_dim",)) + rope
        else:
            head_dim = self._maybe(arch, arch.head_dim) or hidden // heads
        experts = self._maybe(arch, arch.experts) if arch.moe else None
        moe_width = self._count(arch, arch.moe_intermediate) if experts else None
        dense = self._dense_layers(layers) if experts else None
        width = None if experts and not dense else self._intermediate(arch, hidden)
        per_token = self._count(arch, arch.experts_per_token) if experts else None
        window, full = self._window(arch, layers)
        if self.faults:
            raise DocumentError(self.faults)
        return ModelCard(
            id=_name(self.source.name),
            hf_id=str(self.data.get("_name_or_path") or ""),
            layers=layers,
            hidden=hidden,
            heads=heads,
            kv_heads=self._kv_heads(arch, heads),
            head_dim=head_dim,
            intermediate=width,
            experts=experts,
            experts_per_token=per_token,
            moe_intermediate=moe_width,
            shared_experts=self._shared_experts(arch, moe_width) if experts else None,
            dense_layers=dense,
            mlp_type=arch.mlp_type,
            qkv_bias=bool(self.data.get("attention_bias", arch.qkv_bias)),
            mla_kv_dim=None if mla is None else mla + (rope or 0),
            vocab=vocab,
            tied_embeddings=bool(self.data.get("tie_word_embeddings", arch.tied)),
            max_context_tokens=positions,
            published_params_b=None,
            source=self.source.name,
            note="",
            architecture=self.type or "llama",
            sliding_window_tokens=window,
            full_attention_layers=full,
            q_lora_rank=self._maybe(arch, ("q_lora_rank",)) if mla else None,
            rope_head_dim=rope,
            v_head_dim=self._maybe(arch, ("v_head_dim",)) if mla else None,
            precision=precision_of(self.source, self.data),
        )

    def _architecture(self) -> Architecture:
        known = ARCHITECTURES.get(self.type)
        if known is not None:
            return known
        missing = [name for name in GENERIC_FIELDS if self.data.get(name) is None]
        found = f"'{self.type}'" if self.type else "nothing"
        if missing:
            hint = (
                f"known are {', '.join(sorted(ARCHITECTURES))}; any other needs every field of a "
            )
            hint += f"plain decoder, and {', '.join(missing)} {_is(missing)} missing"
            message = f"the architecture is not known, found {found}"
            raise DocumentError([self.source.fault(("model_type",), message, hint)])
        experts = any(self.data.get(name) for name in Architecture().experts)
        return Architecture(moe=experts)

    def _value(self, arch: Architecture, names: Sequence[str]) -> tuple[str, Any]:
        for name in names:
            value: Any = self.data
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                return name, value
        for name in names:
            if name in arch.defaults:
                return name, arch.defaults[name]
        return (names[0] if names else ""), None

    def _maybe(self, arch: Architecture, names: Sequence[str]) -> int | None:
        name, value = self._value(arch, names)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            path = tuple(name.split("."))[-1:]
            found = json.dumps(value, default=str)
            self.faults.append(self.source.fault(path, f"expected a count, found {found}"))
            return 1
        return value

    def _count(self, arch: Architecture, names: Sequence[str]) -> int:
        found = self._maybe(arch, names)
        if found is None:
            what = f"'{self.type}'" if self.type else "this file"
            message = f"{names[0]} is missing, which {what} needs"
            hint = f"write {names[0]}" if len(names) == 1 else f"write one of {', '.join(names)}"
            self.faults.append(self.source.fault((names[0],), message, hint))
            return 1
        return found

    def _intermediate(self, arch: Architecture, hidden: int) -> int:
        found = self._maybe(arch, arch.intermediate)
        if found is None and arch.intermediate_default is not None:
            return arch.intermediate_default * hidden
        if found is None:
            return self._count(arch, arch.intermediate)
        return round(found * arch.intermediate_share)

    def _kv_heads(self, arch: Architecture, heads: int) -> int:
        if self.type == "falcon":
            if self.data.get("new_decoder_architecture"):
                return self._maybe(arch, ("num_kv_heads", "n_head_kv")) or heads
            return 1 if self.data.get("multi_query", True) else heads
        if self.type == "gpt_bigcode":
            return 1 if self.data.get("multi_query", True) else heads
        if self.type == "chatglm" and not self.data.get("multi_query_attention", False):
            return heads
        return self._maybe(arch, arch.kv_heads) or heads

    def _dense_layers(self, layers: int) -> int:
        first = self.data.get("first_k_dense_replace")
        if first is None:
            first = len(self.data.get("mlp_only_layers") or ())
        return min(int(first), layers)

    def _shared_experts(self, arch: Architecture, width: int | None) -> int:
        shared = self._maybe(arch, ("n_shared_experts",))
        together = self._maybe(arch, ("shared_expert_intermediate_size",))
        if together is not None and width:
            return together // width
        return shared or 0

    def _window(self, arch: Architecture, layers: int) -> tuple[int | None, int | None]:
        window = self._maybe(arch, ("sliding_window",))
        if window is None or self.data.get("use_sliding_window") is False:
            return None, None
        kinds = self.data.get("layer_types")
        if isinstance(kinds, list):
            return window, sum(kind == "full_attention" for kind in kinds)
        every = self._maybe(arch, ("sliding_window_pattern",)) or arch.window_every
        if every is not None:
            return window, layers // every
        if self.type in ("qwen2", "qwen2_moe", "qwen3", "qwen3_moe"):
            return window, min(int(self.data.get("max_window_layers", layers)), layers)
        return window, 0


def _name(path: str) -> str:
    """What messages call the model: the folder of a ``config.json``, else the file's own name."""
    file = Path(path)
    return (file.resolve().parent.name or file.stem) if file.stem == "config" else file.stem


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
