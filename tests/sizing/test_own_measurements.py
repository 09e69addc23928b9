from pathlib import Path

import pytest

from optimizer.sizing.estimate import Serving, SpeedAt, size_service, speed_at
from optimizer.sizing.measured.own import REQUIRED, read_measurements
from providers.errors import DocumentError

HEADER = ",".join(REQUIRED)
ROWS = """\
2xRTX4090 is not a card,2,Qwen2-72B,gptq-int4,vllm,800,300,8,output_tok_s,150
RTX 4090,2,Qwen2-72B,gptq-int4,vllm,800,300,8,mem_gb,42
RTX 4090,2,Qwen9-72B,gptq-int3,vlm,800,300,0,output_tok_s,-3
"""


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "my.csv"
        path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
        return path

    return write


DUAL = ("Qwen2-72B", "gptq-int4", "vllm", "RTX4090", 2)
CHAT = {"prompt_tokens": 800, "output_tokens": 300}
MINE = (
    "RTX 4090,2,Qwen2-72B-Instruct,GPTQ-Int4,vLLM,800,300,1,output_tok_s,20",
    "2080ti-22g,1,Qwen2-7B,bf16,vllm,800,300,1,tpot_ms,30",
    "rtx4090,2,qwen2-72b,gptq-int4,vllm,800,300,6,output_tok_s,90",
)


def test_own_rows_go_before_the_model_and_the_published(table):
    own = read_measurements(table(*MINE))
    assert [row.gpus for row in own] == [2, 1, 2]
    found = speed_at(*DUAL, 6, own_rows=own, **CHAT)
    assert isinstance(found, SpeedAt)
    assert found.label == "measured"
    assert found.output_tokens_per_s == pytest.approx(90)
    assert "row 3" in found.provenance
    assert "measured by the user" in found.provenance
    alone = speed_at(*DUAL, 1, own_rows=own, lengths_stated=False, **CHAT)
    assert isinstance(alone, SpeedAt)
    assert alone.output_tokens_per_s == pytest.approx(20)


def test_a_replica_is_sized_between_own_rows(table):
    own = read_measurements(table(*MINE))
    sized = size_service(*DUAL, floor_tokens_per_s=17, ttft_s=None, own_rows=own, **CHAT)
    assert isinstance(sized, Serving)
    assert 1 <= sized.users < 6
    assert sized.label in ("measured", "interpolated")


def test_every_fault_is_told_with_its_line(table):
    with pytest.raises(DocumentError) as told:
        read_measurements(table(*ROWS.splitlines()))
    faults = [(fault.line, fault.message) for fault in told.value.faults]
    text = " ".join(message for _, message in faults)
    assert {line for line, _ in faults} == {2, 3, 4}
    for word in ("mem_gb", "Qwen9-72B", "gptq-int3", "vlm", "above 0", "whole number"):
        assert word in text, word


def test_a_missing_column_is_told(tmp_path):
    path = tmp_path / "my.csv"
    path.write_text("hardware,model\nRTX4090,Qwen2-72B\n", encoding="utf-8")
    with pytest.raises(DocumentError, match="column 'value' is missing"):
        read_measurements(path)


def test_a_row_may_name_a_model_s_configuration_beside_the_table(table, tmp_path):
    config = Path(__file__).parents[1] / "model_cards" / "configs" / "Yi-34B.json"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_bytes(config.read_bytes())
    own = read_measurements(table("RTX4090,4,mine/config.json,bf16,vllm,800,300,4,output_tok_s,77"))
    asked = (str(tmp_path / "mine" / "config.json"), "bf16", "vllm", "RTX4090", 4)
    found = speed_at(*asked, 4, own_rows=own, **CHAT)
    assert isinstance(found, SpeedAt)
    assert (found.label, found.output_tokens_per_s) == ("measured", pytest.approx(77))
    named = speed_at("Yi-34B", *asked[1:], 4, own_rows=own, **CHAT)
    assert isinstance(named, SpeedAt)
    assert named.output_tokens_per_s == pytest.approx(77)


def test_a_configuration_that_is_none_is_told_with_the_line_of_its_row(table, tmp_path):
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    for name in ("broken.json", "gone.json"):
        row = f"RTX4090,4,{name},bf16,vllm,800,300,4,output_tok_s,77"
        with pytest.raises(DocumentError) as told:
            read_measurements(table(row))
        assert told.value.faults[0].line == 2
        assert name in told.value.faults[0].message
