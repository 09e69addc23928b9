"""Models read from configurations of the shapes their makers published."""

import json
from pathlib import Path

import pytest

from optimizer.model_cards import ModelCard, UnknownModelError, is_model_file, model_card
from optimizer.model_cards.architectures import ARCHITECTURES
from optimizer.model_cards.shapes import linear_params
from providers.errors import DocumentError

CONFIGS = sorted((Path(__file__).parent / "configs").glob("*.json"))
SHAPE = (
    "layers",
    "hidden",
    "heads",
    "kv_heads",
    "head_dim",
    "experts",
    "experts_per_token",
    "moe_intermediate",
    "mla_kv_dim",
    "vocab",
    "tied_embeddings",
    "sliding_window_tokens",
    "full_attention_layers",
    "q_lora_rank",
)


def known(path: Path) -> ModelCard:
    return model_card(path.stem.removesuffix("-GPTQ-Int4"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_configuration_gives_the_shape_that_the_model_table_has(path):
    found, expected = model_card(str(path)), known(path)
    # Phi-3 4k names a window that is its whole context; the GPTQ build pads the MLP.
    skipped = {"sliding_window_tokens", "full_attention_layers"} if "Phi-3" in path.stem else set()
    for name in set(SHAPE) - skipped:
        assert getattr(found, name) == getattr(expected, name), name


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_parameters_counted_from_a_configuration_are_the_published_ones(path):
    published = known(path).published_params_b
    assert model_card(str(path)).params_total_b == pytest.approx(published, rel=0.005)


def test_more_than_twenty_architectures_have_a_configuration_to_test_with():
    tested = {
        json.loads(path.read_text(encoding="utf-8")).get("text_config", {}).get("model_type")
        or json.loads(path.read_text(encoding="utf-8"))["model_type"]
        for path in CONFIGS
    }
    assert len(tested) >= 25
    assert tested <= set(ARCHITECTURES)


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("Qwen2-72B-Instruct-GPTQ-Int4", "gptq-int4"),
        ("DeepSeek-V3", "fp8"),
        ("gpt-oss-20b", "mxfp4"),
        ("Llama-2-70B", "fp16"),
        ("Qwen2.5-7B", "bf16"),
        ("BLOOM-7B", None),
    ],
)
def test_the_configuration_names_the_precision(name, precision):
    assert model_card(str(CONFIGS[0].parent / f"{name}.json")).precision == precision


@pytest.mark.parametrize(
    ("quantization", "precision"),
    [
        ({"quant_method": "gptq", "bits": 4, "group_size": 32}, "gptq-int4-g32"),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "gptq-int8-channel"),
        ({"quant_method": "awq", "bits": 4, "group_size": 64}, "awq-int4-g64"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "nf4"),
        (
            {
                "quant_method": "bitsandbytes",
                "load_in_4bit": True,
                "bnb_4bit_use_double_quant": True,
            },
            "nf4-dq",
        ),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bnb-int8"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "fp8",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 128}}
                },
            },
            "gptq-int4",
        ),
    ],
)
def test_quantisations_are_known_by_what_their_makers_write(tmp_path, quantization, precision):
    assert model_card(written(tmp_path, quantization_config=quantization)).precision == precision


PLAIN = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "vocab_size": 32000,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
}


def written(folder: Path, **changed: object) -> str:
    fields = {name: value for name, value in (PLAIN | changed).items() if value is not None}
    path = folder / "config.json"
    path.write_text(json.dumps(fields, indent=2), encoding="utf-8")
    return str(path)


def faults(name: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        model_card(name)
    return [str(fault) for fault in caught.value.faults]


def test_the_folder_of_a_configuration_stands_for_it(tmp_path):
    name = written(tmp_path)
    assert model_card(str(tmp_path)) == model_card(name)
    assert is_model_file(str(tmp_path))
    assert not is_model_file("Qwen/Qwen2-72B")
    assert model_card(name).id == tmp_path.name


def test_the_same_keys_in_yaml_are_a_card_too(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(f"{k}: {json.dumps(v)}" for k, v in PLAIN.items()), encoding="utf-8")
    card = model_card(str(path))
    assert card.params_total_b == pytest.approx(model_card("Llama-2-7B").params_total_b)
    assert card.id == "mine"


def test_a_file_that_changes_is_read_again(tmp_path):
    before = model_card(written(tmp_path)).layers
    after = model_card(written(tmp_path, num_hidden_layers=16)).layers
    assert (before, after) == (32, 16)


def test_a_missing_field_is_named(tmp_path):
    found = faults(written(tmp_path, vocab_size=None, hidden_size=None))
    assert any("hidden_size is missing" in fault for fault in found)
    assert any("vocab_size is missing" in fault for fault in found)


def test_a_field_that_is_no_count_is_shown_with_its_line(tmp_path):
    (found,) = faults(written(tmp_path, num_hidden_layers="many"))
    assert 'config.json:5:3: num_hidden_layers: expected a count, found "many"' in found


def test_an_unknown_architecture_without_every_field_is_refused_by_name(tmp_path):
    (found,) = faults(written(tmp_path, model_type="newnet", num_key_value_heads=None))
    assert "config.json:2:3: model_type: the architecture is not known, found 'newnet'" in found
    assert "num_key_value_heads is missing" in found


def test_an_unknown_architecture_with_every_field_is_a_plain_decoder(tmp_path):
    card = model_card(written(tmp_path, model_type="newnet"))
    assert linear_params(card) == linear_params(model_card("Llama-2-7B"))


def test_an_unknown_quantisation_is_refused_with_its_place(tmp_path):
    (found,) = faults(written(tmp_path, quantization_config={"quant_method": "magic"}))
    assert "the quantisation is not known, found 'magic'" in found
    assert ":11:3:" in found


def test_faulty_json_is_shown_with_line_and_column(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{\n  "model_type": "llama"\n  "hidden_size": 4096\n}', encoding="utf-8")
    (found,) = faults(str(path))
    assert "config.json:3:3: not readable as JSON: expecting ',' delimiter" in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1, 2]", "a model is a mapping of fields"),
        (b"\xff\xfe{}", "the file is not UTF-8"),
        (b"", "not readable as JSON"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content, said):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    assert said in faults(str(path))[0]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "cannot be read" in faults(str(tmp_path / "config.json"))[0]


def test_a_misspelt_model_is_refused_with_the_nearest():
    with pytest.raises(UnknownModelError, match="did you mean Qwen2-72B"):
        model_card("Qwenn2-72B")
