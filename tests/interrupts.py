"""Commands that are sent signals while they work."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MAIN = [sys.executable, "-c", "from optimizer.cli.main import main; main()"]
SIGNALS = pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])


def stopped(
    folder: Path, arguments: list[str], until: str, number: int, *, again: bool = False
) -> tuple[int, str]:
    """Exit code and standard error of a command that gets a signal once it has said `until`.

    Args:
        arguments: of rentopt, with -v: what it says is read line by line.
        again: sent over and over, until it has ended.
    """
    with subprocess.Popen(
        [*MAIN, *arguments],
        cwd=folder,
        text=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        preexec_fn=_hear_ctrl_c,
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if until in line:
                break
        else:
            pytest.fail(f"it never said {until!r}: {said}")
        process.send_signal(number)
        while again and process.poll() is None:
            time.sleep(0.02)
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(120), said + process.stderr.read()
        process.kill()
        pytest.fail(f"it did not end: {said}{process.stderr.read()}")


def _hear_ctrl_c() -> None:
    """A shell starts what runs in its background deaf to SIGINT, and that is inherited."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
