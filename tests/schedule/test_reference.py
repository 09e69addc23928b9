"""docs/schedule.md describes every field, with its default, and its examples are sound."""

import re
from pathlib import Path
from typing import Annotated, get_args, get_origin

import pytest
from pydantic import BaseModel

from optimizer.schedule.document import Precision, ScheduleDocument
from optimizer.schedule.load import parse_schedule
from optimizer.schedule.starters import STARTERS
from optimizer.schedule.workload_rules import PRECISIONS
from optimizer.sizing.weights import precisions

TEXT = (Path(__file__).parents[2] / "docs" / "schedule.md").read_text(encoding="utf-8")
ROWS = {
    name: row
    for row in TEXT.splitlines()
    if row.startswith("| `")
    for name in re.findall(r"`([^`]*)`", row.split("|")[1])
}


def models(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    elif get_origin(annotation) is Annotated:
        yield from models(get_args(annotation)[0])
    else:
        for part in get_args(annotation):
            yield from models(part)


FIELDS = sorted({(m.__name__, key) for m in models(ScheduleDocument) for key in m.model_fields})


@pytest.mark.parametrize(("section", "field"), FIELDS)
def test_every_field_is_described(section, field):
    assert field in ROWS or f"`{field}`" in TEXT, f"{section}.{field}"


def test_no_row_describes_a_field_that_is_not_there():
    known = {field for _, field in FIELDS} | set(PRECISIONS)
    assert set(ROWS) <= known


def test_the_shortest_schedule_is_sound():
    example = TEXT.split("```yaml\n")[1].split("```")[0]
    assert parse_schedule(example, "docs").n_days == 30


def test_the_precisions_are_those_that_sizing_knows():
    assert set(get_args(Precision)) == set(precisions())


def test_the_precisions_are_those_the_engines_load():
    for engine in ("vllm", "ollama"):
        assert set(re.findall(r"`([^`]*)`", ROWS[engine].split("|")[2])) == PRECISIONS[engine]
    assert PRECISIONS["transformers"] == PRECISIONS["vllm"]
    for engine in ("sglang", "tensorrt-llm", "lmdeploy"):
        assert PRECISIONS[engine] == PRECISIONS["vllm"] - {"nf4", "nf4-dq", "bnb-int8"}
    assert PRECISIONS["llama.cpp"] == PRECISIONS["ollama"]


def test_the_starter_that_is_named_exists():
    assert re.findall(r"rentopt init ([a-z0-9-]+) ", TEXT) == ["small-deployment"]
    assert "small-deployment" in STARTERS
