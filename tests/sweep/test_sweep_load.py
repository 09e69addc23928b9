"""Sweep files: every fault with its place, and what an axis does to a schedule."""

import json
from decimal import Decimal
from itertools import islice

import jsonschema
import pytest
from sweeps import FAST, HEAD, sweep_of, write_sweep

from optimizer.schedule.load import load_schedule, parse_schedule
from optimizer.sweep.document import sweep_schema_text
from optimizer.sweep.edits import PathError, resolve, yaml_of
from optimizer.sweep.load import load_sweep
from providers.errors import DocumentError
from providers.money import Money

SCHEDULE = {
    "workloads": [{"name": "chat.eu", "phases": [{"users": 3}]}, {"name": "tune"}],
    "money": {"fx": {"USD/CNY": 7}},
    "hardware": {"buy": [{"node": "2xRTX4090", "price": "40000 CNY"}]},
}


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        ("money.discount_rate", ("money", "discount_rate")),
        ("money.fx.USD/CNY", ("money", "fx", "USD/CNY")),
        ("workloads.0.phases.0.users", ("workloads", 0, "phases", 0, "users")),
        ("workloads.chat.eu.phases.0.users", ("workloads", 0, "phases", 0, "users")),
        ("workloads.tune.deadline", ("workloads", 1, "deadline")),
        ("hardware.buy.2xRTX4090.price", ("hardware", "buy", 0, "price")),
        ("market.providers.forbid", ("market", "providers", "forbid")),
    ],
)
def test_a_path_goes_by_position_or_by_name(dotted, path):
    assert resolve(SCHEDULE, dotted) == path


@pytest.mark.parametrize(
    ("dotted", "said"),
    [
        ("workloads.2.deadline", "no entry '2'"),
        ("workloads.tunes.deadline", "did you mean 'tune'"),
        ("money.fx.USD/CNY.more", "single value"),
        ("limits.0.power", "nothing is at"),
        ("money..x", "nothing is at"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(dotted, said):
    with pytest.raises(PathError, match=said):
        resolve(SCHEDULE, dotted)


def faults(folder, text):
    path = write_sweep(folder, "")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_sweep(path)
    return [str(fault).removeprefix(f"{path}:") for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ("  - {path: money.discont_rate, list: [0.1]}",
         "4:12: axes.0.path: the schedule has no 'money.discont_rate'"),
        ("  - path: money.discount_rate\n    list: [0.1, x %]",
         "5:17: axes.0.list.1: the schedule does not take 'x %'"),
        ("  - path: workloads.tune.deadline\n    grid: {start: 2026-12-04, stop: 2026-12-20,"
         " step: 1 day}", "5:11: axes.0.grid: the schedule does not take '2026-12-08'"),
        ("  - {path: prices.rents, list: [1]}", "hint: did you mean 'prices.rent'?"),
        ("  - {path: prices.rent, list: [1, 0]}",
         "4:35: axes.0.list.1: expected a factor above 0, found '0'"),
        ("  - {path: prices.as_of, list: [yesterday]}", "expected a day such as"),
        ("  - {path: load, list: [1], gridd: 1}", "unknown key 'gridd'; hint: did you mean 'grid'"),
        ("  - {path: load}", "give one of grid, list, random"),
        ("  - {path: load, grid: {start: 1, stop: 2, step: -1}}",
         "4:50: axes.0.grid.step: a step of -1 never leads from 1 to 2"),
        ("  - {path: load, list: [1]}\n  - {path: load, list: [2]}",
         "5:12: axes.1.path: two axes are called 'load'"),
        ("  - {path: hardware.buy.0, list: [~]}\n  - {path: hardware.buy.0.max, list: [1]}",
         "move the same value"),
        ("  - {path: load, random: {distribution: unifrom, count: 3}}",
         "expected one of uniform, normal, lognormal, triangular, choice"),
        ("  - {path: load, random: {distribution: uniform, low: 1, high: 2, count: 0}}",
         "expected at least 1"),
        ("  - {path: load, list: [1], list: [2]}", "the key 'list' is given twice"),
    ],
)  # fmt: skip
def test_a_fault_has_its_line_and_column_and_a_hint(tmp_path, axes, expected):
    assert expected in "\n".join(faults(tmp_path, f"{HEAD}axes:\n{axes}\n"))


def test_the_faults_of_the_whole_file_are_told_at_once(tmp_path):
    found = faults(tmp_path, "rentopt_sweep: 2\nscheduel: tiny.yaml\naxes: []\n")
    assert len(found) == 4
    assert [line.split(":")[0] for line in found] == sorted(line.split(":")[0] for line in found)


def test_zip_wants_axes_of_one_length(tmp_path):
    axes = "  - {path: load, list: [1, 2]}\n  - {path: prices.rent, list: [1]}\n"
    found = faults(tmp_path, f"{HEAD}combine: zip\naxes:\n{axes}")
    assert found == [
        "3:10: combine: zip takes the first with the first, but the axes have [2, 1] values; "
        "hint: `product` takes every value with every other"
    ]


def test_a_schedule_that_is_not_there_or_faulty_is_told(tmp_path):
    text = HEAD.replace("tiny", "other") + "axes: [{path: load, list: [1]}]\n"
    assert "2:11: schedule: there is no file 'other.yaml'" in faults(tmp_path, text)[0]
    (tmp_path / "other.yaml").write_text("rentopt: 1\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"other\.yaml"):
        load_sweep(tmp_path / "sweep.yaml")


@pytest.mark.parametrize("text", ["", "- 1\n", "just words\n", "a: [\n"])
def test_what_is_no_sweep_is_refused(tmp_path, text):
    assert faults(tmp_path, text)


def test_the_schema_takes_what_is_loaded_and_refuses_what_is_not(tmp_path):
    schema = json.loads(sweep_schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    axis = {"path": "load", "random": {"distribution": "uniform", "low": 1, "high": 2, "count": 3}}
    body = {"rentopt_sweep": 1, "schedule": "tiny.yaml", "axes": [axis]}
    jsonschema.validate(body, schema)
    path = write_sweep(tmp_path, "")
    path.write_text(json.dumps(body), encoding="utf-8")
    assert load_sweep(path).n_cases == 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body, "axis": []}, schema)


def test_a_product_takes_every_value_with_every_other(tmp_path):
    axes = "  - {path: load, list: [1, 2]}\n  - {path: prices.rent, list: [1, 2, 3]}\n"
    found = sweep_of(tmp_path, axes)
    assert found.n_cases == len(list(found.cases())) == 6
    assert next(islice(found.cases(), 1, None)) == (("load", 1), ("prices.rent", 2))
    zipped = sweep_of(tmp_path, axes.replace("[1, 2, 3]", "[3, 4]"), "combine: zip\n")
    assert list(zipped.cases()) == [
        (("load", 1), ("prices.rent", 3)), (("load", 2), ("prices.rent", 4)),
    ]  # fmt: skip


def test_values_and_factors_reach_the_schedule(tmp_path):
    axes = """  - {path: workloads.assistant.phases.0.users, list: [50]}
  - {path: load, list: [1.5]}
  - {path: prices.purchase, list: [0.9]}
  - {path: money.electricity, list: [1.1 CNY/kWh]}
  - {path: market.providers.forbid, list: [[suanjiayun]]}
  - {path: limits.cash, list: [100000 CNY]}
"""
    found = sweep_of(tmp_path, axes)
    made = found.schedule_of(next(found.cases())).document
    assert made.workloads[0].phases[0].users == 75
    assert made.hardware.buy[0].price == Money(Decimal(36000), "CNY")
    assert made.money.electricity == Money(Decimal("1.1"), "CNY")
    assert made.market.providers.forbid == ["suanjiayun"]
    assert made.limits.cash == Money(Decimal(100000), "CNY")
    assert found.schedule.document.workloads[0].phases[0].users == 40


def test_the_load_of_a_schedule_without_services_is_its_work(tmp_path):
    path = write_sweep(
        tmp_path, "  - {path: load, list: [2]}\n  - {path: workloads.0, list: [~]}\n"
    )
    found = load_sweep(path)
    work = found.schedule_of(next(found.cases())).document.workloads
    assert [(job.name, job.tokens) for job in work] == [("tune", 60e6)]


def test_nothing_takes_a_value_out_without_moving_the_others(tmp_path):
    axes = """  - {path: workloads.0, list: [~]}
  - {path: workloads.1.min_gpus, list: [4]}
  - {path: money.residual, list: [~]}
"""
    found = sweep_of(tmp_path, axes)
    made = found.schedule_of(next(found.cases())).document
    assert [(w.name, w.min_gpus) for w in made.workloads] == [("tune", 4)]
    assert made.money.residual == {}


def test_a_case_written_as_a_file_is_the_same_schedule(tmp_path):
    axes = """  - {path: money.discount_rate, list: [0.0725]}
  - {path: workloads.tune.deadline, list: [2026-12-05]}
  - {path: name, list: ["12"]}
"""
    found = sweep_of(tmp_path, axes)
    edits = next(found.cases())
    text = yaml_of(found.edited(edits), "a case")
    read = parse_schedule(text, "case.yaml", tmp_path)
    assert read.document == found.schedule_of(edits).document
    assert read.document != load_schedule(tmp_path / "tiny.yaml").document


def test_two_cases_of_one_schedule_are_told_apart(tmp_path):
    found = sweep_of(tmp_path, "  - {path: money.discount_rate, list: [0.05, 0.06]}\n", FAST)
    one, other = (found.schedule_of(edits) for edits in found.cases())
    assert one.sha256 != other.sha256 != found.schedule.sha256
