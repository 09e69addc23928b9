import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.kv_cache import (
    KV_BITS,
    kv_bits,
    kv_cache_bytes_per_token,
    replicated_kv_factor,
    sequence_bytes,
)

QWEN = model_card("Qwen2-72B")
cards = st.sampled_from(list(model_cards().values()))


@pytest.mark.parametrize(
    ("model", "kib"),
    [
        ("Qwen2-72B", 320),
        ("Qwen-72B", 2560),
        ("Llama-3-8B", 128),
        ("DeepSeek-V3", 61 * 576 * 2 / 1024),
        ("Falcon-7B", 8),
        ("OPT-13B", 800),
    ],
)
def test_a_token_takes_what_is_published(model, kib):
    """OPT-13B: 800 KB, in arXiv:2309.06180."""
    assert kv_cache_bytes_per_token(model_card(model)) / 1024 == kib


def test_a_sequence_takes_whole_blocks():
    token = kv_cache_bytes_per_token(QWEN)
    assert sequence_bytes(QWEN, 17, block_tokens=16) == 32 * token
    assert sequence_bytes(QWEN, 16, block_tokens=16) == 16 * token


def test_a_window_stops_the_growth_of_its_layers_only():
    card = model_card("Gemma-3-27B")
    windowed = sequence_bytes(card, 32_768) / sequence_bytes(card, 32_768, windows=False)
    assert card.windowed_layers == 52
    assert windowed == pytest.approx((10 + 52 * 1024 / 32_768) / 62)
    mistral = model_card("Mistral-7B")
    assert sequence_bytes(mistral, 32_000) == sequence_bytes(mistral, 4096)


def test_int8_keeps_a_scale_and_a_zero_for_each_head():
    """Qwen v1 measured 0.55 of the 16-bit size."""
    assert kv_bits(QWEN, "int8") / kv_bits(QWEN, "bf16") == pytest.approx(0.516, abs=0.001)
    assert kv_bits(QWEN, "q8_0") == 8.5


def test_keys_are_copied_where_gpus_outnumber_them():
    assert replicated_kv_factor(QWEN, 8) == 1
    assert replicated_kv_factor(QWEN, 16) == 2
    assert replicated_kv_factor(model_card("GLM-4-9B"), 8) == 4
    assert replicated_kv_factor(model_card("DeepSeek-V3"), 8) == 8


@given(cards, st.integers(1, 200_000), st.sampled_from([1, 16, 256]), st.integers(1, 16))
def test_each_gpus_share_adds_up_to_the_cache_and_its_copies(card, tokens, block, gpus):
    each = sequence_bytes(card, tokens, block_tokens=block, tensor=gpus)
    whole = sequence_bytes(card, tokens, block_tokens=block)
    assert each * gpus == pytest.approx(whole * replicated_kv_factor(card, gpus))
    assert each <= whole


@given(cards, st.integers(1, 100_000), st.integers(0, 100_000), st.sampled_from(sorted(KV_BITS)))
def test_a_longer_sequence_never_takes_less(card, tokens, more, kv_precision):
    shorter, longer = (
        sequence_bytes(card, count, kv_precision=kv_precision) for count in (tokens, tokens + more)
    )
    assert shorter <= longer
    assert math.isfinite(longer)
