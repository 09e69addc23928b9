import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.model_cards import model_card
from optimizer.sizing.estimate import Training, Unfit, relative_training_speed, size_training
from optimizer.sizing.training import gang_speed, traffic
from providers.hardware import accelerators

A100 = "A100-SXM4-80GB"
BATCH = {"sequence_tokens": 4096, "micro_batch": 1, "accumulation": 8}


@pytest.mark.parametrize("gpu", [A100, "A800-SXM4-80GB", "H100-SXM5-80GB", "H800-SXM5-80GB"])
def test_eight_80_gb_cards_train_70b_by_adapters_but_not_in_full(gpu):
    full = size_training("Qwen2-72B", "full", gpu, 8, 1, **BATCH)
    assert isinstance(full, Unfit)
    assert "on each of 8 x" in full.reason
    for method in ("lora", "qlora"):
        assert isinstance(size_training("Qwen2-72B", method, gpu, 8, 1, **BATCH), Training)


def test_more_nodes_make_full_training_of_70b_fit():
    sized = [size_training("Llama-3-70B", "full", A100, 8, n, **BATCH) for n in (1, 2, 4)]
    assert isinstance(sized[0], Unfit)
    assert isinstance(sized[2], Training)


def test_one_a100_trains_about_twice_as_fast_as_one_4090():
    share = relative_training_speed(A100, "RTX4090", 1, 1)
    assert share is not None
    assert 1.5 < 1 / share < 2.3


def test_two_4090_are_slower_than_one_when_every_short_micro_step_synchronises():
    options = {"accumulation": 1, "micro_step_tokens": 2048}
    one = relative_training_speed(A100, "RTX4090", 1, 1, **options)
    two = relative_training_speed(A100, "RTX4090", 2, 1, **options)
    assert one is not None
    assert two is not None
    assert two < one
    assert 2 < 1 / two < 4  # "three times", in the founding article


def test_accumulating_gradients_brings_two_4090_close_to_one_a100():
    two = relative_training_speed(A100, "RTX4090", 2, 1)
    assert two is not None
    assert 0.8 < two < 1.15


def test_a_gpu_is_worth_one_hour_of_itself_per_hour():
    for gpu in (A100, "RTX4090", "H800-SXM5-80GB"):
        assert relative_training_speed(gpu, gpu, 1, 1) == pytest.approx(1.0)


def test_an_unknown_rate_gives_no_relative_speed():
    assert relative_training_speed(A100, "M5Ultra-256GB", 1, 1) is None
    assert relative_training_speed("M5Ultra-256GB", A100, 1, 1) is None


gangs = st.tuples(
    st.sampled_from([A100, "A800-SXM4-80GB", "A100-PCIe-80GB", "RTX4090", "RTX3090"]),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 8),
)


@settings(deadline=None)
@given(gangs)
def test_a_gang_never_beats_as_many_lone_cards(gang):
    gpu, per_node, nodes = gang
    alone = relative_training_speed(A100, gpu, 1, 1)
    together = relative_training_speed(A100, gpu, per_node, nodes)
    assert alone is not None
    assert together is not None
    assert together <= alone * per_node * nodes * (1 + 1e-9)


@settings(deadline=None)
@given(gangs, st.integers(1, 64), st.integers(1, 64), st.sampled_from(["full", "lora"]))
def test_more_accumulation_never_slows_training(gang, fewer, more, method):
    fewer, more = sorted((fewer, more))
    gpu, per_node, nodes = gang

    def rate(strategy: str, accumulation: int) -> float:
        speed = gang_speed(
            model_card("Qwen2.5-7B"),
            method,
            strategy,
            accelerators()[gpu],
            per_node,
            nodes,
            sequence_tokens=2048,
            micro_batch=1,
            accumulation=accumulation,
        )
        assert speed is not None
        return speed.tokens_per_s

    assert rate("ddp", more) >= rate("ddp", fewer) * (1 - 1e-9)
    assert rate("zero-3", more) == pytest.approx(rate("zero-3", fewer))


def test_accumulation_saves_traffic_for_ddp_only():
    card = model_card("Qwen2.5-7B")
    assert traffic(card, "full", "ddp").per_micro_step == 0
    assert traffic(card, "full", "zero-3").per_optimizer_step == 0
    assert traffic(card, "lora", "ddp").per_optimizer_step < 1e9


def test_nvlink_carries_divided_weights_that_pcie_without_peer_to_peer_chokes_on():
    sxm = size_training("Qwen2-72B", "lora", A100, 8, 1, **BATCH)
    geforce = size_training("Qwen2.5-7B", "full", "RTX4090", 8, 1, **BATCH)
    assert isinstance(sxm, Training)
    assert isinstance(geforce, Training)
    assert "zero-3" in sxm.provenance
    assert geforce.mfu < 0.25


def test_several_macs_do_not_train_together():
    sized = size_training("Qwen2.5-1.5B", "lora", "M3Max-40c-128GB", 1, 2, **BATCH)
    assert isinstance(sized, Unfit)
    assert "together" in sized.reason


def test_a_card_without_a_known_rate_is_out():
    sized = size_training("Qwen2.5-1.5B", "lora", "M5Ultra-256GB", 1, 1, **BATCH)
    assert isinstance(sized, Unfit)
    assert "not known" in sized.reason
