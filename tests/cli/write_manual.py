"""Put the real output of the examples into docs/cli.md, in place of what stands there."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "cli.md"
SHOWN = ("plan tiny.yaml", "verify", "init --list", "offers", "size")
"""How the commands begin whose output is real, and checked."""
TINY = "data/schedules/tiny.yaml"


def examples() -> dict[str, str]:
    """Command line → its output now."""
    text = MANUAL.read_text(encoding="utf-8")
    commands = re.findall(r"```console\n\$ (rentopt [^\n]+)\n", text)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tiny.yaml").write_bytes((ROOT / TINY).read_bytes())
        _run("rentopt plan tiny.yaml --as-of 2026-11-22 --format json -o plan.json", folder)
        for command in commands:
            if command.removeprefix("rentopt ").startswith(SHOWN):
                found[command] = _run(command, folder)
    return found


def _run(command: str, folder: str) -> str:
    code = "from optimizer.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split()[1:]], cwd=folder, check=True,
        capture_output=True, text=True,
        env={**os.environ, "COLUMNS": "80", "RENTOPT_STORE": f"{folder}/none.db"},
    )  # fmt: skip
    return done.stdout


def block(command: str, output: str) -> str:
    return f"```console\n$ {command}\n{output}```\n"


if __name__ == "__main__":
    manual = MANUAL.read_text(encoding="utf-8")
    for command, output in examples().items():
        pattern = rf"```console\n\$ {re.escape(command)}\n.*?```\n"
        replaced = block(command, output)
        manual = re.sub(pattern, lambda _, new=replaced: new, manual, flags=re.DOTALL)
    MANUAL.write_text(manual, encoding="utf-8")
