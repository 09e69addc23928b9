"""docs/uncertainty.md shows what this version prints for the files it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app

PAGE = Path(__file__).parents[2] / "docs" / "uncertainty.md"


def test_the_example_of_the_page_is_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```\n", text, re.DOTALL)
    for name, block in zip(("schedule", "quotes", "scenarios"), blocks, strict=False):
        (tmp_path / f"{name}.yaml").write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    command, output = re.findall(r"```console\n\$ rentopt (.+?)\n(.*?)```\n", text, re.DOTALL)[0]
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 0, done.output
    assert done.stdout == output
    worst = CliRunner().invoke(app, [*command.split(), "--risk", "cvar"])
    shown = re.findall(r"```text\n(.*?)```\n", text, re.DOTALL)[0]
    assert shown.strip() in worst.stdout
