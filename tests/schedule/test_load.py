"""Loading: sound schedules, warnings, and no crash whatever the text."""

import copy
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from optimizer.schedule.document import ScheduleDocument, ServiceWorkload
from optimizer.schedule.load import load_schedule, parse_schedule
from optimizer.schedule.starters import STARTERS, UnknownStarterError, starter
from providers.errors import DocumentError
from providers.money import Money

GOLDEN = Path(__file__).parent / "golden"
SMALL = """
rentopt: 1
currency: CNY
horizon: {start: 2026-12-01, days: 10}
workloads:
  - {name: a, kind: training, model: Qwen2-7B, tokens: 1M tokens}
"""


@pytest.mark.parametrize("name", STARTERS)
def test_every_starter_is_sound(name):
    found = parse_schedule(starter(name), name)
    assert found.warnings == ()
    assert starter(name).startswith("# yaml-language-server: $schema=schedule.schema.json\n")


def test_an_unknown_starter_is_told_with_the_closest_name():
    with pytest.raises(UnknownStarterError, match="did you mean 'training'"):
        starter("trainig")
    with pytest.raises(UnknownStarterError, match="known are training, inference"):
        starter("zzz")


def test_the_inference_starter_reads_as_recorded():
    """The golden file changes only when the starter or the format does."""
    found = parse_schedule(starter("inference"), "inference")
    recorded = (GOLDEN / "inference.json").read_text(encoding="utf-8")
    assert found.document.model_dump_json(indent=2) + "\n" == recorded


@pytest.mark.parametrize("name", STARTERS)
def test_a_document_written_as_json_reads_as_the_same_document(name):
    document = parse_schedule(starter(name), name).document
    assert ScheduleDocument.model_validate(document.model_dump(mode="json")) == document


def test_a_schedule_knows_its_days_file_and_digest(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(SMALL)
    found = load_schedule(path)
    assert (found.first_day, found.last_day) == (date(2026, 12, 1), date(2026, 12, 10))
    assert (found.n_days, found.currency, found.source) == (10, "CNY", str(path))
    assert len(found.sha256) == 64
    assert found.folder == tmp_path


def test_days_and_end_say_the_same():
    other = SMALL.replace("days: 10", "end: 2026-12-10")
    assert parse_schedule(other, "x").n_days == parse_schedule(SMALL, "x").n_days


def test_quotes_are_looked_for_beside_the_schedule(tmp_path):
    (tmp_path / "mine.csv").write_text("")
    path = tmp_path / "s.yaml"
    path.write_text(SMALL + "market: {quotes: [mine.csv]}\n")
    assert load_schedule(path).quotes == (tmp_path / "mine.csv",)
    with pytest.raises(DocumentError, match=r"there is no file 'yours.csv'"):
        parse_schedule(SMALL + "market: {quotes: [yours.csv]}\n", "x", tmp_path)


def test_an_address_is_no_quotes_file():
    text = SMALL + "market: {quotes: ['https://quotes.example/a.csv']}\n"
    with pytest.raises(DocumentError) as raised:
        parse_schedule(text, "x")
    assert str(raised.value) == (
        "x:7:19: market.quotes.0: 'https://quotes.example/a.csv' is an address, and planning uses "
        "no network; hint: `rentopt prices import https://quotes.example/a.csv --as NAME` keeps "
        "its prices"
    )


def test_an_unknown_seller_is_a_warning_because_quotes_may_name_it():
    found = parse_schedule(SMALL + "market: {providers: {allow: [aliyn]}}\n", "x")
    assert found.warnings == (
        "x:7:30: market.providers.allow.0: no seller 'aliyn' in the price table 'current';"
        " hint: did you mean 'aliyun'?",
    )


def test_measured_rates_of_a_service_on_apis_only_are_a_warning():
    text = SMALL + "  - {name: s, kind: service, model: Qwen2-7B, phases: [{users: 1}], api: only,"
    found = parse_schedule(text + " measured: [{on: A100, tokens: 5}]}\n", "x")
    assert "not used" in found.warnings[0]


def test_anchors_and_merge_keys_are_filled_in():
    text = (
        SMALL
        + """
  - &svc {name: s, kind: service, model: Qwen2-7B, phases: &load [{users: 3}]}
  - {<<: *svc, name: t, engine: sglang}
  - {<<: [{name: u}, *svc], phases: *load}
"""
    )
    names = [w.name for w in parse_schedule(text, "x").document.workloads]
    assert names == ["a", "s", "t", "u"]


def test_a_key_with_nothing_after_it_counts_as_not_given():
    text = SMALL + "hardware:\nmarket:\n  quotes:\n  stock:\nmoney:\n  pue:\n"
    assert parse_schedule(text, "x").document == parse_schedule(SMALL, "x").document


def test_no_is_a_word_and_a_date_is_no_timestamp():
    text = SMALL + "  - {name: s, kind: service, model: Qwen2-7B, phases: [{users: 1}], api: no}\n"
    service = parse_schedule(text, "x").document.workloads[1]
    assert isinstance(service, ServiceWorkload)
    assert service.api == "no"


def test_money_is_exact_from_the_file():
    text = SMALL + "limits: {cash: 0.1000000000000000000001 CNY}\n"
    cash = parse_schedule(text, "x").document.limits.cash
    assert cash == Money(Decimal("0.1000000000000000000001"), "CNY")


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load_schedule(path).n_days == 10


def test_a_tariff_in_bands_covers_the_day_once():
    text = (
        SMALL
        + """
money:
  electricity:
    - {hours: ["08:00-22:00"], price: 1 CNY/kWh}
    - {hours: ["22:00-08:00"], price: 0.3 CNY/kWh}
"""
    )
    assert len(parse_schedule(text, "x").document.money.electricity) == 2


def outcome(text):
    """What a user would see: the lines of the faults, none for a sound schedule."""
    try:
        parse_schedule(text, "fuzz")
        lines = []
    except DocumentError as error:
        lines = [str(fault) for fault in error.faults] or ["no fault told"]
    assert all(line.startswith("fuzz:") and line.isprintable() for line in lines), lines


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_any_text_is_read_or_refused(text):
    outcome(text)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab:-[]{},&*!|>'\"%@`?# \n\t0.<~\r\\", max_size=60))
def test_any_yaml_like_text_is_read_or_refused(text):
    outcome(text)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(STARTERS)), st.data())
def test_a_starter_with_a_piece_cut_or_put_in_is_read_or_refused(name, data):
    text = starter(name)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    put = data.draw(st.text(alphabet="ab:-[]{},&*!|>'\"%# \n\t0.<", max_size=6))
    outcome(text[:start] + put + text[end:])


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.sampled_from(["5 %", "2B tokens", "8xA100", "2026-12-05", "x", "30 CNY", "09:00-10:00"]),
        st.text(max_size=8),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(node, path=()):
    yield path
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in items:
        yield from places(value, (*path, key))


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(STARTERS)), st.data())
def test_a_starter_with_any_value_replaced_is_read_or_refused(name, data):
    yaml = YAML(typ="safe", pure=True)
    tree = copy.deepcopy(yaml.load(starter(name)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([place for place in places(tree) if place]))
        around = tree
        for part in path[:-1]:
            around = around[part]
        if data.draw(st.booleans()) and isinstance(around, dict):
            around.pop(path[-1])
        else:
            around[path[-1]] = data.draw(VALUES)
    written = io.StringIO()
    YAML(typ="safe", pure=True).dump(tree, written)
    outcome(written.getvalue())
