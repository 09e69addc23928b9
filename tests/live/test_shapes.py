"""Shapes of answers: they tell drift, and nothing else; and no test asks the internet by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asking import ALL, askable, both, of_recording
from shapes import drift, names_of, news, shapes_of, to_json
from sources import SECRET, SOURCES

from providers.adapter import Snapshot

NOW = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
HERE = Path(__file__).parent


def answer(document, address="https://here/v1/prices"):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Snapshot(address, NOW, body)


RECORDED = [
    answer({"data": {"gpu_1x_a10": {"price": 129, "region": ["us-1"], "spot": None},
                     "gpu_8x_h100": {"price": 2392, "region": []}}})
]  # fmt: skip


def compared(document, address="https://here/v1/prices"):
    live = shapes_of([answer(document, address)], names_of(RECORDED))
    return drift(shapes_of(RECORDED), live), live


def machine(**fields):
    return {"data": {"gpu_4x_b300": {"price": 1, "region": ["x"], "spot": None} | fields}}


@pytest.fixture(scope="module", params=ALL)
def recording(request):
    return request.param, of_recording(request.param)


def test_our_own_server_has_not_drifted(recording):
    _, snapshots = recording
    ours, live = shapes_of(snapshots), shapes_of(snapshots, names_of(snapshots))
    assert any(len(shape) > 1 for shape in ours.values())
    assert drift(ours, live) == []


def test_a_shape_holds_names_of_our_recording_only(recording):
    _, snapshots = recording
    shape = to_json(shapes_of(snapshots, names_of(snapshots)))
    words = set(json.loads(shape)) | {
        step.removesuffix("[]")
        for paths in json.loads(shape).values()
        for path in paths
        for step in path.split(".")
    }
    assert SECRET not in shape
    assert words <= names_of(snapshots) | set(json.loads(shape)) | {"*", ""}


def test_names_that_are_data_become_stars():
    (shape,) = shapes_of(RECORDED).values()
    assert shape == {
        ".": ["object"],
        ".data": ["object"],
        ".data.*": ["object"],
        ".data.*.price": ["number"],
        ".data.*.region": ["list"],
        ".data.*.region[]": ["text"],
        ".data.*.spot": ["missing", "null"],
    }


def test_nothing_a_source_sends_gets_into_a_shape():
    """Neither in a value, nor as a name, nor in the address; also where it looks like a field."""
    odd = {
        "data": {"gpu_1x_a10": {"price": SECRET, SECRET: 1, "sk_live_abc": {"inner": SECRET}}},
        SECRET: {"price": 1},
        "apikeyabcdef": [SECRET, {SECRET: SECRET}],
    }
    _, live = compared(odd, f"https://{SECRET}@here/v1/{SECRET}/prices?key={SECRET}")
    text = to_json(live)
    for word in (SECRET, "sk_live_abc", "inner", "apikeyabcdef", "gpu_1x_a10", "here"):
        assert word not in text
    kept = {
        step for path in next(iter(live.values())) for step in path.replace("[]", "").split(".")
    }
    assert kept <= {"", "*", "data", "price"}


def test_other_machines_and_prices_are_no_drift():
    assert compared(machine())[0] == []
    assert compared({"data": {}})[0] == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (machine(price="1"), ".data.*.price was number, and is number as text too"),
        (machine(price=None), ".data.*.price was number, and is null too"),
        ({"data": {"gpu_1x_b300": {"region": []}}}, ".data.*.price is gone"),
        ({"items": []}, ".data is gone"),
        ([], ". was object, and is list too"),
        ({"data": [machine()]}, ".data was object, and is list too"),
    ],
)
def test_drift_is_told(document, said):
    assert f"/v1/prices: {said}" in compared(document)[0]


def test_an_address_that_was_not_answered_is_drift():
    assert compared(machine(), "https://here/v2/prices/all")[0] == ["/v1/prices: was not answered"]


def test_a_new_field_is_told_without_its_name_and_is_no_drift():
    found, live = compared(machine(discount=0.1))
    assert found == []
    assert news(shapes_of(RECORDED), live) == [".data.*.*"]


def test_a_field_that_any_provider_renames_is_drift():
    """The price of Lambda, say, under another name."""
    ours = of_recording("lambda")
    renamed = [
        answer(s.body.replace(b"price_cents_per_hour", b"price_cents"), s.address) for s in ours
    ]
    recorded, live = both("lambda", renamed)
    assert not any("price" in path for path in news(recorded, live))
    assert news(recorded, live) == [".data.*.instance_type.*"]
    always = {place: {p: [k for k in kinds if k != "missing"] for p, kinds in shape.items()}
              for place, shape in recorded.items()}  # fmt: skip
    assert any("price_cents_per_hour is gone" in said for said in drift(always, live))


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b"region,price,gpu\nus-1,1.5,A10\n", {"[].price": ["number as text"]}),
        (b"<a xmlns='x'><b c='1'>2</b><b c='z'/></a>", {".b[].@c": ["number as text", "text"]}),
        (b"<!doctype html><table><tr><td>12</table>", {".html.td": ["object"]}),
    ],
)
def test_tables_xml_and_pages_have_shapes_too(body, paths):
    (shape,) = shapes_of([answer(body)]).values()
    assert paths.items() <= shape.items()


def test_sources_are_asked_only_with_their_keys_and_consent():
    nothing = askable({})
    assert "cloudrift" in nothing
    assert "fx" in nothing
    assert "lambda" not in nothing
    assert "lambda" in askable({"LAMBDA_API_KEY": "x"})
    every = {name: "x" for source in SOURCES.values() for name in source.variables}
    assert set(ALL) - set(askable(every)) == {"autodl"}
    assert set(askable(every | {"RENTOPT_LIVE_ACCEPT": "autodl"})) == set(ALL)


@pytest.mark.parametrize(("wanted", "there"), [("0", False), ("1", True)])
def test_nothing_is_asked_over_the_internet_unless_wanted(wanted, there):
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", str(HERE)]
    environment = os.environ | {"RENTOPT_LIVE": wanted}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("test_live.py::" in done.stdout) is there
