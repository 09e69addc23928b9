"""A workload's model may be a config.json beside the schedule."""

import json
import shutil
from pathlib import Path

import pytest

from optimizer.schedule.load import load_schedule
from providers import hardware
from providers.errors import DocumentError

CONFIGS = Path(__file__).parents[1] / "model_cards" / "configs"
SCHEDULE = """
rentopt: 1
horizon: {{start: 2026-12-01, days: 7 days}}
currency: CNY
workloads:
  - name: chat
    kind: service
    model: {model}
    phases: [{{users: 2}}]
"""


def schedule(folder: Path, model: str, more: str = "") -> Path:
    path = folder / "schedule.yaml"
    path.write_text(SCHEDULE.format(model=model) + more, encoding="utf-8")
    return path


def test_the_path_starts_at_the_schedules_folder(tmp_path, monkeypatch):
    folder = tmp_path / "plans"
    folder.mkdir()
    shutil.copy(CONFIGS / "Qwen2-72B-Instruct-GPTQ-Int4.json", folder / "mine.json")
    schedule(folder, "./mine.json")
    monkeypatch.chdir(tmp_path)
    (chat,) = load_schedule(Path("plans/schedule.yaml")).document.workloads
    assert chat.model == "plans/mine.json"
    assert chat.precision == "gptq-int4"


def test_a_written_precision_counts_before_that_of_the_file(tmp_path):
    shutil.copy(CONFIGS / "Qwen2-72B-Instruct-GPTQ-Int4.json", tmp_path / "mine.json")
    path = schedule(tmp_path, "mine.json", "    precision: fp8\n")
    (chat,) = load_schedule(path).document.workloads
    assert chat.precision == "fp8"


def test_what_is_wrong_with_the_file_is_told_at_the_model(tmp_path):
    broken = json.loads((CONFIGS / "Qwen2.5-7B.json").read_text(encoding="utf-8"))
    del broken["vocab_size"]
    (tmp_path / "mine.json").write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_schedule(schedule(tmp_path, "mine.json"))
    (fault,) = caught.value.faults
    assert (fault.line, fault.path) == (8, "workloads.0.model")
    assert "vocab_size is missing" in fault.message


@pytest.fixture
def forgotten():
    """What a test makes known is forgotten after it."""
    yield
    hardware._own.clear()
    hardware.register(())


@pytest.mark.usefixtures("forgotten")
def test_a_table_of_gpus_beside_the_schedule_is_known_to_it(tmp_path):
    table = "id,memory_gb,bandwidth_gb_s,fp16_tflops\nMyCard-64G,64,1500,200\n"
    (tmp_path / "mine.csv").write_text(table, encoding="utf-8")
    more = "hardware: {file: mine.csv, owned: [{node: 2xMyCard-64G}]}\n"
    document = load_schedule(schedule(tmp_path, "Qwen2.5-7B", more)).document
    assert str(document.hardware.owned[0].node) == "2xMyCard-64G"


def test_a_faulty_table_of_gpus_is_told_with_its_own_lines(tmp_path):
    (tmp_path / "mine.csv").write_text("id,memory_gb\nMine,much\n", encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_schedule(schedule(tmp_path, "Qwen2.5-7B", "hardware: {file: mine.csv}\n"))
    told = [str(fault) for fault in caught.value.faults]
    assert any("mine.csv:2" in fault and "'much' is not a number" in fault for fault in told)
    assert any("hardware.file: the file of own hardware is faulty" in fault for fault in told)
