"""`rentopt plan`: its output, its exit codes, and what it leaves behind when stopped."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from interrupts import MAIN, SIGNALS, stopped
from write_manual import MANUAL, block, examples

from optimizer.cli.decision_options import gap_share

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"
YEAR = TINY.parent / "startup-cny.yaml"
DAY = ("--as-of", "2026-11-22")


@pytest.fixture
def run(tmp_path):
    def runs(*arguments, **environment):
        return subprocess.run(
            [*MAIN, *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path,
            env={**os.environ, **environment}, timeout=300,
        )  # fmt: skip

    return runs


def schedule(folder, old, new):
    text = TINY.read_text(encoding="utf-8")
    assert old in text
    path = folder / "changed.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_plan_goes_to_standard_output_and_nothing_to_standard_error(run):
    done = run("plan", TINY, *DAY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("one week: 2026-12-01 to 2026-12-07, 7 days, in CNY\n")
    assert "best plan: buy nothing; rent for everything\n" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_same_inputs_give_the_same_bytes_that_keep_to_the_schema(run):
    first, second = (run("plan", TINY, *DAY, "--format", "json").stdout for _ in range(2))
    assert first == second
    schema = json.loads(run("schema", "--of", "plan").stdout)
    jsonschema.validate(json.loads(first), schema)
    assert "timings_s" not in json.loads(first)


def test_a_file_gets_the_whole_plan_and_no_colour(run, tmp_path):
    done = run("plan", TINY, *DAY, "-o", "p.md", "--format", "md", FORCE_COLOR="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote p.md\n")
    assert (tmp_path / "p.md").read_text(encoding="utf-8").startswith("## one week")


@pytest.mark.parametrize(
    ("table", "titles"),
    [
        ("calendar", "date,workload,node"),
        ("rentals", "start,end,offer"),
        ("ledger", "component,cause"),
        ("cash-flow", "month,paid"),
    ],
)
def test_csv_is_a_table_of_choice(run, table, titles):
    done = run("plan", TINY, *DAY, "--format", "csv", "--csv-table", table)
    assert done.stdout.startswith(titles)


def test_steps_and_timings_are_told_on_standard_error(run):
    done = run("plan", TINY, *DAY, "-v", "--timings")
    assert "rentopt: looking for the best mix\n" in done.stderr
    assert "solve 0." in done.stderr
    timed = json.loads(run("plan", TINY, *DAY, "--timings", "--format", "json").stdout)
    assert timed["timings_s"]["solve"] >= 0


def test_why_tells_what_was_ruled_out(run):
    assert "Hardware that cannot do it" in run("plan", TINY, *DAY, "--why").stdout


def test_own_quotes_are_added(run, tmp_path):
    offers = TINY.parents[1] / "prices" / "bundled.csv"
    titles, *rows = offers.read_text(encoding="utf-8").splitlines()
    row = next(row for row in rows if "suanjiayun/RTX4090D/cn/on_demand" in row)
    mine = row.replace("suanjiayun/RTX4090D/cn/on_demand", "mine/4090D").replace(",1.14,", ",0.2,")
    (tmp_path / "mine.csv").write_text(f"{titles}\n{mine}\n", encoding="utf-8")
    done = run("plan", TINY, *DAY, "--quotes", "mine.csv")
    assert "from the price table current, mine.csv" in done.stdout
    assert "mine/4090D" in done.stdout


# -- exit codes ----------------------------------------------------------------------------


def test_a_broken_schedule_is_2_with_every_fault(run, tmp_path):
    path = schedule(tmp_path, "currency: CNY", "currency: RMB")
    done = run("plan", path)
    assert done.returncode == 2
    assert "currency: expected one of CNY, EUR, USD, found 'RMB'" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.yaml"], "cannot be read"),
        ([TINY, "--gap", "0.5"], "write it like 0.5%"),
        ([TINY, "-o", "nowhere/plan.txt"], "there is no folder nowhere"),
        ([TINY, "-o", "."], "is a folder"),
        ([TINY, "--quotes", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_wrong_call_is_2_with_words(run, arguments, words):
    done = run("plan", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_no_plan_is_3_with_the_reason_and_what_would_do(run, tmp_path):
    path = schedule(tmp_path, "tokens: 30M tokens", "tokens: 90B tokens")
    done = run("plan", path, *DAY)
    assert done.returncode == 3
    assert "'tune': needs" in done.stderr
    assert "try:" in done.stderr
    assert "Traceback" not in done.stderr


def test_strict_is_4_for_stale_prices_after_the_plan(run):
    done = run("plan", TINY, "--as-of", "2027-06-01", "--strict")
    assert done.returncode == 4
    assert "days old (--strict)" in done.stderr
    assert "best plan" in done.stdout
    assert run("plan", TINY, "--as-of", "2027-06-01").returncode == 0


def test_strict_is_8_when_the_gap_was_not_reached(monkeypatch, capsys):
    import typer

    from optimizer.cli.plan import _judge

    class Found:
        rentals = ()
        gap = 0.02

    with pytest.raises(typer.Exit) as caught:
        _judge(Found(), 0.005)
    assert caught.value.exit_code == 8
    assert "the gap is 2.00%, and 0.50% was asked for" in capsys.readouterr().err
    _judge(Found(), 0.02)


@pytest.mark.parametrize(("text", "share"), [("0.5%", 0.005), ("0 %", 0.0), ("10%", 0.1)])
def test_a_gap_is_a_percentage(text, share):
    assert gap_share(text) == pytest.approx(share)


EXACTLY = ["plan", str(YEAR), "--gap", "0%", "-v", "--format", "json", *DAY, "-o", "plan.json"]
"""A search to the last cent."""


@SIGNALS
def test_a_signal_ends_it_with_the_best_plan_so_far_and_its_gap(tmp_path, run, number, code):
    ended, said = stopped(tmp_path, EXACTLY, "found", number)
    assert ended == code
    assert "stopping with the best plan so far" in said
    assert "Traceback" not in said
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert plan["warnings"][0].startswith("stopped early: the best plan so far; at most ")
    assert 0 < plan["gap"] <= 1
    assert 0 <= float(plan["bound"]) < float(plan["npv"])
    done = run("verify", "plan.json", YEAR)
    assert done.returncode == 0, done.stdout + done.stderr


@SIGNALS
def test_a_second_signal_ends_it_at_once_and_leaves_nothing(tmp_path, number, code):
    ended, said = stopped(tmp_path, EXACTLY, "best mix", number, again=True)
    assert ended == code
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_seen_enough_is_no_fault():
    command = f"{sys.executable} -c 'from optimizer.cli.main import main; main()' plan {TINY}"
    done = subprocess.run(
        f"{command} | head -1", shell=True, capture_output=True, text=True, timeout=300
    )
    assert done.stderr == ""


# -- the command as a whole ----------------------------------------------------------------


def test_help_imports_nothing_heavy():
    heavy = ("pydantic", "ortools", "pandas", "numpy", "ruamel.yaml", "optimizer.report.tables")
    code = (
        "import sys, optimizer.cli.main as m\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_examples_of_the_manual_show_what_is_printed():
    manual = MANUAL.read_text(encoding="utf-8")
    shown = examples()
    assert len(shown) == 6
    for command, output in shown.items():
        assert block(command, output) in manual, f"run tests/cli/write_manual.py: {command}"


def test_break_even_points_are_told_unless_they_are_left_out(run):
    assert "Break-even points" in run("plan", TINY, *DAY).stdout
    assert "Break-even points" not in run("plan", TINY, *DAY, "--no-breakeven").stdout


def documented(group, manual, above="rentopt", level="##"):
    """Every command of a group with its part of the manual, those of groups inside it too."""
    for name, command in group.commands.items():
        title = f"{level} {above} {name}\n"
        assert title in manual, title
        part = re.split(rf"\n{level} ", manual.split(title)[1])[0]
        yield name, command, part
        if hasattr(command, "commands"):
            yield from documented(command, part, f"{above} {name}", f"{level}#")


def test_the_manual_names_every_command_option_and_exit_code():
    import typer

    from optimizer.cli.main import app

    manual = MANUAL.read_text(encoding="utf-8")
    for name, command, part in documented(typer.main.get_command(app), manual):
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("-"):
                    assert f"`{option}" in part, f"{name} {option}"
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143):
        assert f"| {code} |" in manual
