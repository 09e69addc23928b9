"""How the figures of ``rentopt size`` come about, line by line, with the numbers put in."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.report.size.answers import OneServer, Paces, ServingQuestion
from optimizer.sizing.constants import GGUF_ENGINES
from optimizer.sizing.formats import weight_formats
from optimizer.sizing.kv_cache import kv_bits, layer_values
from optimizer.sizing.measured.nearest import nearest_measurements
from optimizer.sizing.placement import (
    MLP_VALUES,
    Placement,
    intermediate_width,
)
from optimizer.sizing.replica import HOST_BYTES_PER_S, replica
from optimizer.sizing.reservation import GIB, fitted_memory
from optimizer.sizing.results import Serving, Unfit
from optimizer.sizing.weights import hf_calculator_gib, is_gguf

GB = 1e9
MEMORY_BAND = "weights within 1 %, the whole within 12 % in nine cases of ten (docs/sizing.md)"


def derivation(answer: OneServer, asked: ServingQuestion) -> Iterator[str]:
    """Lines on memory, pace and the measurements nearby; nothing on pace where it does not fit."""
    if answer.paces is None:
        return
    paces = answer.paces
    yield "memory, each GPU unless it says otherwise:"
    yield from (f"  {line}" for line in _memory(paces))
    yield "pace:"
    yield from (f"  {line}" for line in _pace(paces, asked))
    yield "measurements nearby, and what the model alone says of them:"
    yield from (f"  {line}" for line in _measurements(paces))


def _memory(paces: Paces) -> Iterator[str]:
    case, lies = paces.case, paces.case.lies
    yield from _weights(lies)
    yield from _cache(lies, case.length, paces.planned)
    yield from _work(lies, case.prompt_tokens)
    yield from _room(lies, case.prompt_tokens, case.length)
    yield f"expected error: {MEMORY_BAND}"


def _weights(lies: Placement) -> Iterator[str]:
    card, stored = lies.card, lies.stored
    linear = card.params_linear_b
    if is_gguf(lies.precision):
        bits = stored.linear * 8 / (linear * GB)
        how = f"{linear:.3f} B linear x {bits:.3f} bits, the mixture of {lies.precision}"
    else:
        form = weight_formats()[lies.precision]
        how = f"{linear:.3f} B linear x {form.linear_bits:.3f} bits"
        if stored.linear > linear * GB * form.linear_bits / 8 * (1 + 1e-6):
            how += ", padded" if not form.experts_only else " (attention 16)"
    head = f" + head {stored.head / GB:.2f}" if stored.head else ", which is the head too"
    yield (
        f"weights, all GPUs: {how} = {stored.linear / GB:.2f} GB + embedding "
        f"{stored.embedding / GB:.2f}{head} = {stored.total / GB:.2f} GB"
    )
    split = f"{lies.tensor} GPUs share each layer" if lies.tensor > 1 else "whole layers"
    if lies.engine in GGUF_ENGINES and not card.tied_embeddings:
        split += ", the embedding in host memory"
    if lies.offload_layers:
        split += f", {lies.offload_layers} layers in host memory ({lies.host / GB:.1f} GB)"
    yield f"weights: {split}; {lies.layers:g} of {card.layers} layers = {lies.weights / GB:.2f} GB"
    if "int4" in lies.precision or "q4" in lies.precision or lies.precision == "nf4":
        said = hf_calculator_gib(card, bits=4)
        yield (
            f"Hugging Face's calculator said {said:.2f} GiB in 2024: every value at 4 bits, no "
            f"head, but cosines and sines of {card.max_context_tokens} positions in each layer"
        )


def _cache(lies: Placement, length: int, users: int) -> Iterator[str]:
    card, bits = lies.card, kv_bits(lies.card, lies.kv_precision)
    values = layer_values(card, lies.tensor)
    kind = "compressed values" if card.mla_kv_dim else "keys and values"
    token = lies.layers * values * bits / 8
    window = ""
    if card.windowed_layers and lies.policy.windows:
        window = f"; {card.windowed_layers} layers keep {card.sliding_window_tokens} tokens at most"
    yield (
        f"cache of a token: {lies.layers:g} layers x {values} {kind} x {bits:g} bits = "
        f"{token / 1024:.1f} KiB{window}"
    )
    each = lies.sequence(length)
    yield (
        f"cache: {users} x {length} tokens in blocks of {lies.policy.block_tokens} = "
        f"{users} x {each / GB:.3f} = {users * each / GB:.2f} GB"
    )


def _work(lies: Placement, prompt: int) -> Iterator[str]:
    card, tokens = lies.card, lies.tokens_at_once(prompt)
    residual, found = fitted_memory()["residual_values"], lies.work(prompt)
    width = f"{MLP_VALUES:g} x {intermediate_width(card)}"
    width += f" / {lies.tensor}" if lies.tensor > 1 else ""
    others = "".join(
        f" + {name} {held / GB:.2f}" for name, held in found.items() if name != "layers"
    )
    yield (
        f"work: {tokens:g} tokens at once x 2 bytes x ({width} + {residual:g} x {card.hidden}) = "
        f"{found['layers'] / GB:.2f}{others} = {lies.activations(prompt) / GB:.2f} GB"
    )


def _room(lies: Placement, prompt: int, length: int) -> Iterator[str]:
    policy, visible = lies.policy, lies.visible
    share = f"{policy.share:.2f} of it ({policy.flag})" if policy.flag else "all of it"
    yield (
        f"a {lies.gpu.memory_gb:g} GB card gives programs {visible / GIB:.2f} GiB = "
        f"{visible / GB:.2f} GB; {policy.engine} takes {share}, {lies.fixed / GB:.1f} GB for itself"
    )
    free, each = lies.cache(prompt), lies.sequence(length)
    yield (
        f"left for the cache: {free / GB:.2f} GB / {each / GB:.3f} GB a request = "
        f"{lies.most_sequences(prompt, length)} requests"
    )


def _pace(paces: Paces, asked: ServingQuestion) -> Iterator[str]:
    case = paces.case
    made = replica(
        asked.model,
        case.precision,
        case.engine,
        case.gpu.id,
        case.gpus,
        case.prompt_tokens,
        case.output_tokens,
        own=asked.own_rows,
        lengths_stated=asked.lengths_stated,
        kv_precision=case.kv_precision,
        offload_layers=case.offload_layers,
    )
    if isinstance(made, Unfit):
        return
    users, prompt, output = paces.planned, case.prompt_tokens, case.output_tokens
    step, prefill = made.speed.step_s(users, prompt + output / 2), made.speed.prefill_s(prompt)
    yield (
        f"a step of {users} at {prompt + output / 2:g} tokens: {step * 1e3:.1f} ms; "
        f"a prefill of {prompt} tokens: {prefill * 1e3:.0f} ms"
    )
    if made.host_s:
        yield (
            f"layers in host memory: {made.host_s * HOST_BYTES_PER_S / GB:.1f} GB / "
            f"{HOST_BYTES_PER_S / GB:g} GB/s = {made.host_s * 1e3:.0f} ms a step (assumed rate)"
        )
    modelled = made.speed.token_s(users, prompt, output) + made.host_s
    yield f"with the prefills of the others: {modelled * 1e3:.1f} ms a token, {1 / modelled:.1f}/s"
    if isinstance(paces.within, Serving):
        at = made.at(users, made.admitted)
        yield f"used: {at.tokens_per_s_per_user:.1f}/s for each, {at.label}: {at.provenance}"
        yield f"expected: {at.band.words} of that in eight of ten cases"


def _measurements(paces: Paces) -> Iterator[str]:
    case = paces.case
    found = nearest_measurements(
        case.card,
        case.precision,
        case.engine,
        case.gpu,
        case.gpus,
        users=paces.planned,
        context_tokens=case.prompt_tokens + case.output_tokens / 2,
    )
    for row, modelled in found:
        what = f"{row.model} {row.quant}, {row.engine}, {row.gpus}x{row.hardware}"
        users = "" if row.concurrency is None else f", {row.concurrency:g} at once"
        said = (
            "" if modelled is None else f"; model {modelled:.1f} ({modelled / row.value - 1:+.0%})"
        )
        yield f"{row.id}: {what}{users}: {row.value:g} {row.unit} {row.metric}{said}"
    if not found:
        yield "none of this model, precision and kind of card"
