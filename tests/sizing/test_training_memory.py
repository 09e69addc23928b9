import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.training import Gang, Setup
from optimizer.sizing.training.memory import host_bytes, training_memory
from optimizer.sizing.training.setup import adapter_params
from providers.hardware import accelerators

QWEN = model_card("Qwen2-72B")
A800 = accelerators()["A800-SXM4-80GB"]

models = st.sampled_from(list(model_cards().values()))
setups = st.builds(
    Setup,
    method=st.sampled_from(["pretrain", "full", "lora", "qlora"]),
    sequence_tokens=st.sampled_from([512, 2048, 8192]),
    micro_batch=st.integers(1, 8),
    accumulation=st.just(8),
    strategy=st.sampled_from(["ddp", "zero-1", "zero-2", "hsdp", "zero-3"]),
    checkpointing=st.sampled_from(["none", "selective", "full"]),
    optimizer=st.sampled_from(["adamw", "adamw-bf16", "adamw-8bit", "sgd"]),
    offload=st.sampled_from(["none", "optimizer", "all"]),
    framework=st.sampled_from(["", "hf", "native", "tuned"]),
    chunked_loss=st.booleans(),
)
nodes = st.integers(1, 8)


@given(models, setups, nodes)
def test_dividing_states_never_takes_more_of_them(card, setup, count):
    def states(strategy: str) -> float:
        way = dataclasses.replace(setup, strategy=strategy)
        memory = training_memory(card, way, Gang(A800, 8, count))
        return memory.states_gb + memory.weights_gb

    order = [states(name) for name in ("ddp", "zero-1", "zero-2", "zero-3")]
    assert order == sorted(order, reverse=True)
    assert states("ddp") >= states("hsdp") >= states("zero-3")


@given(models, setups, nodes)
def test_checkpointing_never_needs_more_memory(card, setup, count):
    def required(kind: str) -> float:
        way = dataclasses.replace(setup, checkpointing=kind)
        return training_memory(card, way, Gang(A800, 8, count)).required_gb

    order = [required(name) for name in ("none", "selective", "full")]
    assert order == sorted(order, reverse=True)


@given(models, setups, nodes, st.floats(1.0, 4.0))
def test_more_memory_never_unfits(card, setup, count, larger):
    small = training_memory(card, setup, Gang(A800, 8, count))
    big = dataclasses.replace(A800, memory_gb=A800.memory_gb * larger)
    assert training_memory(card, setup, Gang(big, 8, count)).fits >= small.fits


@given(models, setups, nodes)
def test_offloading_moves_states_to_the_host(card, setup, count):
    gang = Gang(A800, 8, count)
    at_home = dataclasses.replace(setup, offload="none")
    assert host_bytes(card, at_home, gang) == 0
    away = [dataclasses.replace(setup, offload=what) for what in ("optimizer", "all")]
    left = [training_memory(card, way, gang) for way in (at_home, *away)]
    held = [memory.weights_gb + memory.states_gb for memory in left]
    assert held == sorted(held, reverse=True)
    assert 0 < host_bytes(card, away[0], gang) < host_bytes(card, away[1], gang)


def test_lora_trains_a_small_share_of_the_parameters():
    assert 0.001 < adapter_params(QWEN, 16) / (QWEN.params_total_b * 1e9) < 0.01
