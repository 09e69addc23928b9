import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.model_cards import model_card
from optimizer.sizing.estimate import Training, Unfit, relative_training_speed, size_training
from optimizer.sizing.gang import TrainingOptions, fastest
from optimizer.sizing.training import Gang, Setup, training_speed
from optimizer.sizing.training.memory import training_memory
from optimizer.sizing.training.terms import step_terms
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


ARTICLE = {"accumulation": 1, "micro_step_tokens": 1024}
"""Gradients synchronised after every short micro-step, without peer to peer."""


def test_one_a100_trains_about_twice_as_fast_as_one_4090_where_every_micro_step_synchronises():
    share = relative_training_speed(A100, "RTX4090", 1, 1, **ARTICLE)
    assert share is not None
    assert 1.5 < 1 / share < 2.3


def test_two_4090_are_slower_than_one_when_every_short_micro_step_synchronises():
    one = relative_training_speed(A100, "RTX4090", 1, 1, **ARTICLE)
    two = relative_training_speed(A100, "RTX4090", 2, 1, **ARTICLE)
    assert one is not None
    assert two is not None
    assert two < one
    assert 2 < 1 / two < 4  # "three times", in the founding article


def test_accumulating_gradients_brings_two_4090_above_one_a100():
    two = relative_training_speed(A100, "RTX4090", 2, 1)
    assert two is not None
    assert 1.0 < two < 1.5


def test_a_gpu_is_worth_one_hour_of_itself_per_hour():
    for gpu in (A100, "RTX4090", "H800-SXM5-80GB"):
        assert relative_training_speed(gpu, gpu, 1, 1) == pytest.approx(1.0)


def test_an_unknown_rate_gives_no_relative_speed():
    assert relative_training_speed(A100, "M5Ultra-256GB", 1, 1) is None
    assert relative_training_speed("M5Ultra-256GB", A100, 1, 1) is None


cards = st.sampled_from([A100, "A800-SXM4-80GB", "A100-PCIe-80GB", "RTX4090", "RTX3090"])
gangs = st.tuples(cards, st.sampled_from([1, 2, 4, 8]), st.integers(1, 8))
setups = st.builds(
    Setup,
    method=st.sampled_from(["pretrain", "full", "lora", "qlora"]),
    sequence_tokens=st.sampled_from([512, 2048, 8192]),
    micro_batch=st.integers(1, 8),
    accumulation=st.integers(1, 32),
    strategy=st.sampled_from(["ddp", "zero-1", "zero-2", "hsdp", "zero-3"]),
    checkpointing=st.sampled_from(["none", "selective", "full"]),
    optimizer=st.sampled_from(["adamw", "adamw-bf16", "adamw-8bit", "sgd"]),
    offload=st.sampled_from(["none", "optimizer", "all"]),
)


def pace(setup, gang, model="Qwen2.5-7B"):
    speed = training_speed(model_card(model), setup, gang)
    assert speed is not None
    return speed.tokens_per_s


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
@given(setups, gangs, st.integers(1, 64))
def test_more_accumulation_never_slows_training(setup, gang, more):
    gpu, per_node, nodes = gang
    group = Gang(accelerators()[gpu], per_node, nodes)
    longer = dataclasses.replace(setup, accumulation=setup.accumulation + more)
    assert pace(longer, group) >= pace(setup, group) * (1 - 1e-9)


@settings(deadline=None)
@given(setups, gangs, st.floats(1.0, 10.0))
def test_a_faster_fabric_or_link_never_slows_training(setup, gang, faster):
    gpu, per_node, nodes = gang
    slow = Gang(accelerators()[gpu], per_node, nodes, fabric_gbit_s=100.0)
    quick = dataclasses.replace(slow, fabric_gbit_s=100.0 * faster)
    wide = dataclasses.replace(
        quick,
        gpu=dataclasses.replace(
            quick.gpu,
            nvlink_gb_s=quick.gpu.nvlink_gb_s * faster,
            host_link_gb_s=quick.gpu.host_link_gb_s * faster,
        ),
    )
    first, second, third = pace(setup, slow), pace(setup, quick), pace(setup, wide)
    assert first <= second * (1 + 1e-9)
    assert second <= third * (1 + 1e-9)


@settings(deadline=None)
@given(setups, cards)
def test_more_gpus_in_a_node_never_lower_the_total_where_each_holds_all(setup, gpu):
    plain = dataclasses.replace(setup, strategy="ddp", offload="none", accumulation=64)
    totals = [pace(plain, Gang(accelerators()[gpu], n)) for n in (1, 2, 4, 8)]
    free = [dataclasses.replace(accelerators()[gpu], nvlink_gb_s=1e9)]
    totals_free = [pace(plain, Gang(free[0], n)) for n in (1, 2, 4, 8)]
    assert all(more >= fewer for fewer, more in pairwise(totals_free))
    assert all(paced <= wide * (1 + 1e-9) for paced, wide in zip(totals, totals_free, strict=True))


def test_accumulation_saves_traffic_for_ddp_only():
    card, gang = model_card("Qwen2.5-7B"), Gang(accelerators()[A100], 8)
    ddp = step_terms(card, Setup("full", 2048, 1, 8), gang)
    fsdp = step_terms(card, Setup("full", 2048, 1, 8, strategy="zero-3"), gang)
    adapters = step_terms(card, Setup("lora", 2048, 1, 8), gang)
    assert ddp is not None
    assert fsdp is not None
    assert adapters is not None
    assert ddp.gather_s == 0 < ddp.reduce_s
    assert fsdp.reduce_s == 0 < fsdp.gather_s
    assert adapters.reduce_s < ddp.reduce_s / 50


def test_nvlink_carries_divided_weights_that_pcie_without_peer_to_peer_chokes_on():
    sxm = size_training("Qwen2-72B", "lora", A100, 8, 1, **BATCH)
    geforce = size_training("Qwen2.5-7B", "full", "RTX4090", 8, 1, **BATCH)
    assert isinstance(sxm, Training)
    assert isinstance(geforce, Training)
    assert "zero-3" in sxm.provenance
    assert geforce.mfu < 0.3


def test_only_what_is_allowed_is_taken():
    only = TrainingOptions(strategies=("ddp",), checkpointing=("full",), tensor_parallel=(1,))
    assert isinstance(size_training("Qwen2.5-7B", "full", A100, 8, 1, options=only, **BATCH), Unfit)
    light = dataclasses.replace(only, optimizer="adamw-8bit")
    sized = size_training("Qwen2.5-7B", "full", A100, 8, 1, options=light, **BATCH)
    assert isinstance(sized, Training)
    assert sized.provenance.startswith("ddp, full checkpointing")


def test_one_strategy_alone_is_taken_on_one_node_too():
    only = TrainingOptions(strategies=("hsdp",))
    sized = size_training("Qwen2.5-7B", "full", A100, 8, 1, options=only, **BATCH)
    assert isinstance(sized, Training)
    assert sized.how.startswith("hsdp")


@settings(deadline=None, max_examples=40)
@given(setups, gangs, st.sampled_from(["Qwen2.5-7B", "Llama-2-13B", "Qwen2-72B"]))
def test_no_allowed_way_that_fits_is_faster_or_overlooked(setup, gang, model):
    gpu, per_node, nodes = gang
    group = Gang(accelerators()[gpu], per_node, nodes)
    batch = (setup.sequence_tokens, setup.micro_batch, setup.accumulation)
    found = fastest(model, setup.method, gpu, per_node, nodes, *batch)
    plain = dataclasses.replace(setup, optimizer="adamw", offload="none")
    if per_node * nodes == 1 or (setup.adapters and setup.strategy in ("zero-1", "zero-2")):
        plain = dataclasses.replace(plain, strategy="ddp")
    if training_memory(model_card(model), plain, group).fits:
        assert found.memory.fits
        assert found.speed is not None
        assert found.speed.tokens_per_s >= pace(plain, group, model) * (1 - 1e-9)


def test_fp8_needs_units_for_it():
    eight = TrainingOptions(precision="fp8")
    slow = size_training("Llama-2-7B", "full", A100, 8, 1, options=eight, **BATCH)
    fast = size_training("Llama-2-7B", "full", "H100-SXM5-80GB", 8, 1, options=eight, **BATCH)
    assert isinstance(slow, Unfit)
    assert "fp8" in slow.reason
    assert isinstance(fast, Training)


def test_several_macs_do_not_train_together():
    sized = size_training("Qwen2.5-1.5B", "lora", "M3Max-40c-128GB", 1, 2, **BATCH)
    assert isinstance(sized, Unfit)
    assert "together" in sized.reason


def test_a_card_without_a_known_rate_is_out():
    sized = size_training("Qwen2.5-1.5B", "lora", "M5Ultra-256GB", 1, 1, **BATCH)
    assert isinstance(sized, Unfit)
    assert "not known" in sized.reason
