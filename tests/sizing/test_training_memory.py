from hypothesis import given
from hypothesis import strategies as st

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.training_memory import adapter_params, training_memory
from providers.hardware import accelerators

QWEN = model_card("Qwen2-72B")
A800 = accelerators()["A800-SXM4-80GB"]

cards = st.sampled_from(list(model_cards().values()))


@given(cards, st.sampled_from(["pretrain", "full", "lora", "qlora"]), st.integers(1, 8))
def test_dividing_states_never_takes_more_of_them(card, method, nodes):
    def states(strategy: str) -> float:
        memory = training_memory(
            card, method, strategy, A800, 8 * nodes, sequence_tokens=2048, micro_batch=1
        )
        return memory.states_gb + memory.weights_gb

    assert states("ddp") >= states("zero-1") >= states("zero-3")


def test_lora_trains_a_small_share_of_the_parameters():
    assert 0.001 < adapter_params(QWEN) / (QWEN.params_total_b * 1e9) < 0.01
