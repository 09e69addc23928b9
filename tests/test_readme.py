"""The README shows what this version prints."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
README = CHECKOUT / "README.md"
OUTPUT = re.compile(
    r"<!-- output: rentopt (?P<command>.+?) -->\n```text\n(?P<text>.*?)```\n<!-- /output -->", re.S
)


def shown() -> list[tuple[str, str]]:
    found = OUTPUT.findall(README.read_text(encoding="utf-8"))
    return [(command, text) for command, text in found]


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    from optimizer.cli.main import main

    arguments = [*command.split(), "--as-of", "2024-07-15"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["rentopt", *arguments])
        patch.chdir(CHECKOUT)
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code in (0, None)
    return capsys.readouterr().out


def test_there_is_an_example_with_output() -> None:
    assert shown()


@pytest.mark.parametrize(("command", "text"), shown())
def test_the_output_in_the_readme_is_how_this_version_s_answer_begins(
    command: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(command, capsys)[: len(text)] == text


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (CHECKOUT / link).exists()]
    assert links
    assert missing == []
