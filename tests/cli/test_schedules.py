"""`rentopt init`, `validate` and `schema`."""

import json
import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from optimizer.cli.schedules import init, schema, validate
from optimizer.report.files import write_atomically
from optimizer.schedule.schema import schedule_schema_text
from optimizer.schedule.starters import SCENARIOS, STARTERS, UnknownStarterError, starter
from providers.errors import RentoptError

app = typer.Typer()
for command in (init, validate, schema):
    app.command()(command)

BROKEN = """\
rentopt: 1
currency: RMB
horizon: {start: 2026-12-01, days: 10}
workloads: [{name: 'a: b, 100%', kind: x}]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def refusal(*arguments):
    with pytest.raises(RentoptError) as caught:
        run(*arguments)
    return str(caught.value)


def test_init_writes_a_sound_schedule(folder):
    assert run("init").exit_code == 0
    assert (folder / "schedule.yaml").read_text() == starter("mixed")
    done = run("validate", "schedule.yaml")
    assert done.exit_code == 0
    assert done.stdout == "schedule.yaml: sound; 3 workloads, 2026-12-01 to 2027-05-29, CNY\n"


@pytest.mark.parametrize("name", STARTERS)
def test_init_writes_every_kind_to_standard_output(name, folder):
    assert run("init", name, "--output", "-").stdout == starter(name)
    assert list(folder.iterdir()) == []


def test_init_lists_what_to_start_from():
    lines = run("init", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*STARTERS, SCENARIOS]


def test_init_overwrites_only_when_told_to(folder):
    (folder / "schedule.yaml").write_text("mine")
    assert refusal("init") == (
        "schedule.yaml is there already; --force overwrites it, --output names another file"
    )
    assert (folder / "schedule.yaml").read_text() == "mine"
    assert run("init", "training", "--force").exit_code == 0
    assert (folder / "schedule.yaml").read_text() == starter("training")


def test_init_writes_the_schema_beside_it_when_asked(folder):
    run("init", "--schema")
    assert (folder / "schedule.schema.json").read_text() == schedule_schema_text()


def test_init_names_the_kinds_it_knows():
    with pytest.raises(UnknownStarterError, match="did you mean 'learner'"):
        run("init", "lerner")


def test_init_into_a_missing_folder_is_refused():
    assert "cannot be written: no such file" in refusal("init", "-o", "nowhere/s.yaml")


def test_schema_goes_to_standard_output_or_a_file(folder):
    assert run("schema").stdout == schedule_schema_text()
    run("schema", "-o", "s.json")
    assert (folder / "s.json").read_text() == schedule_schema_text()


def test_validate_tells_all_faults_of_all_files(folder):
    (folder / "bad.yaml").write_text(BROKEN)
    run("init", "-o", "good.yaml")
    done = run("validate", "bad.yaml", "good.yaml", "nowhere.yaml")
    assert done.exit_code == 2
    assert done.stdout.startswith("good.yaml: sound;")
    assert done.stderr.splitlines() == [
        "rentopt: bad.yaml:2:11: currency: expected one of CNY, EUR, USD, found 'RMB'",
        "rentopt: bad.yaml:4:40: workloads.0.kind: expected one of training, batch_inference,"
        " service, found 'x'",
        "rentopt: nowhere.yaml: cannot be read: no such file or directory",
    ]


def test_validate_tells_faults_as_json(folder):
    (folder / "bad.yaml").write_text(BROKEN)
    done = run("validate", "bad.yaml", "--format", "json")
    assert done.exit_code == 2
    assert done.stderr == ""
    assert json.loads(done.stdout)[0] == {
        "severity": "error",
        "file": "bad.yaml",
        "line": 2,
        "column": 11,
        "path": "currency",
        "message": "expected one of CNY, EUR, USD, found 'RMB'",
        "hint": "",
    }


def test_validate_of_sound_files_is_an_empty_list_as_json():
    run("init")
    assert json.loads(run("validate", "schedule.yaml", "--format", "json").stdout) == []


def test_validate_tells_faults_as_workflow_commands(folder):
    (folder / "a,b.yaml").write_text(BROKEN.replace("x}", "'100%'}"))
    done = run("validate", "a,b.yaml", "--format", "github")
    assert done.exit_code == 2
    assert done.stdout.splitlines() == [
        "::error file=a%2Cb.yaml,line=2,col=11::currency: expected one of CNY, EUR, USD,"
        " found 'RMB'",
        "::error file=a%2Cb.yaml,line=4,col=40::workloads.0.kind: expected one of training,"
        " batch_inference, service, found '100%25'",
    ]


def test_a_warning_does_not_fail(folder):
    text = starter("no-money").replace("  rent: false", "  rent: false\n  providers: {allow: [zz]}")
    (folder / "s.yaml").write_text(text)
    done = run("validate", "s.yaml")
    assert done.exit_code == 0
    assert done.stderr.startswith("rentopt: warning: s.yaml:")
    assert json.loads(run("validate", "s.yaml", "--format", "json").stdout)[0]["severity"] == (
        "warning"
    )
    assert run("validate", "s.yaml", "--format", "github").stdout.startswith("::warning file=")


def test_the_module_imports_nothing_heavy():
    code = (
        "import sys, optimizer.cli.schedules;"
        "print([m for m in ('pydantic', 'ruamel.yaml', 'ortools', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_file_is_replaced_whole_or_not_at_all(folder, monkeypatch):
    path = folder / "x"
    write_atomically(path, "old")
    path.chmod(0o640)

    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in folder.iterdir()] == ["x"]
    monkeypatch.undo()
    write_atomically(path, b"new\r\n")
    assert path.read_bytes() == b"new\r\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_permissions_of_new_files(folder):
    before = os.umask(0o022)
    try:
        write_atomically(folder / "y", "text")
    finally:
        os.umask(before)
    assert (folder / "y").stat().st_mode & 0o777 == 0o644


def test_a_link_stays_a_link(folder):
    (folder / "real").write_text("old")
    (folder / "link").symlink_to("real")
    write_atomically(folder / "link", "new")
    assert (folder / "link").is_symlink()
    assert (folder / "real").read_text() == "new"
