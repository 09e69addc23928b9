"""The JSON Schema says what the loader accepts, field by field."""

import copy
import json

import jsonschema
import pytest

from optimizer.schedule.document import ScheduleDocument
from optimizer.schedule.schema import SCHEMA_ID, schedule_schema, schedule_schema_text
from optimizer.schedule.starters import STARTERS, starter
from optimizer.schedule.yaml_text import read_yaml

VALIDATOR = jsonschema.Draft202012Validator(schedule_schema())


def data(name):
    return read_yaml(starter(name).encode(), name).data


def changed(name, *path, value):
    document = copy.deepcopy(data(name))
    around = document
    for part in path[:-1]:
        around = around[part]
    around[path[-1]] = value
    return document


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schedule_schema())
    assert schedule_schema()["$id"] == SCHEMA_ID


def test_the_schema_is_the_same_every_time():
    assert schedule_schema_text() == schedule_schema_text()
    assert json.loads(schedule_schema_text()) == schedule_schema()


@pytest.mark.parametrize("name", STARTERS)
def test_the_schema_accepts_every_starter(name):
    assert list(VALIDATOR.iter_errors(data(name))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("zzz",), 1),
        (("money", "zzz"), 1),
        (("workloads", 0, "tokns"), 1),
        (("currency",), "GBP"),
        (("rentopt",), 2),
        (("workloads", 0, "floor"), "15 tokens"),
        (("workloads", 0, "headroom"), 20),
        (("workloads", 0, "hours"), {"noon": 1}),
        (("workloads", 0, "phases", 0, "users"), "many"),
        (("hardware", "buy", 0, "price"), "30000"),
        (("hardware", "buy", 0, "price"), 30000),
        (("horizon", "start"), "1 December"),
        (("money", "electricity"), "0.6 CNY"),
    ],
)
def test_the_schema_refuses(path, value):
    assert list(VALIDATOR.iter_errors(changed("inference", *path, value=value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hardware",), None),
        (("workloads", 0, "floor"), "600 tokens / min"),
        (("workloads", 0, "floor"), 15),
        (("workloads", 0, "headroom"), "20%"),
        (("hardware", "buy", 0, "price"), "30k CNY"),
        (("hardware", "buy", 0, "node"), "2 x RTX 4090"),
        (("money", "electricity"), "0.6 CNY/kWh"),
    ],
)
def test_the_schema_accepts(path, value):
    document = changed("inference", *path, value=value)
    assert list(VALIDATOR.iter_errors(document)) == []


def sections(schema):
    yield "document", schema
    yield from schema["$defs"].items()


def test_every_field_has_a_title_and_says_what_it_is():
    for name, section in sections(schedule_schema()):
        for key, field in section["properties"].items():
            assert field.get("description") or "$ref" in field, f"{name}.{key}"


def test_every_section_says_what_it_is():
    assert all(section.get("description") for _, section in sections(schedule_schema()))
    assert ScheduleDocument.__doc__
