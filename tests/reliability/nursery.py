"""A process that starts `rentopt` again and again, each time as a new process that may be killed.

Everything is imported once and then forked, so that hundreds of deaths take minutes. Orders come
in as lines of JSON: arguments, folder, environment, and how the process is to end; answers go out.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

LIVES = ("statement", "commit")


def die_at(end: dict) -> dict[str, int]:
    """Have a signal come just before the n-th statement, or the n-th commit; counts both.

    A file `mark` says that a process which the signal stops has got there.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    seen = dict.fromkeys(LIVES, 0)

    def count(kind: str) -> None:
        seen[kind] += 1
        if end.get(kind) == seen[kind]:
            if "mark" in end:
                Path(end["mark"]).touch()
            os.kill(os.getpid(), getattr(signal, end["signal"]))

    event.listen(Engine, "before_cursor_execute", lambda *_: count("statement"))
    event.listen(Engine, "commit", lambda _: count("commit"))
    return seen


def live(order: dict) -> int:
    """What `rentopt` ends with."""
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    seen = die_at(order["end"])
    sys.argv = ["rentopt", *order["arguments"]]
    from optimizer.cli.main import main

    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    sys.stdout.flush()
    Path("counted.json").write_text(json.dumps(seen))
    return code


def main() -> None:
    import importlib

    for name in (
        "optimizer.cli.main", "requests", "sqlalchemy.dialects.sqlite", "alembic.command",
        "filelock", "prometheus_client", "providers.refresh", "providers.metrics",
        "providers.store", "providers.lock", "providers.notify", "optimizer.report.tables",
    ):  # fmt: skip
        importlib.import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(live(order))
        print(json.dumps({"child": child}), flush=True)
        if "after_s" in order["end"]:
            time.sleep(order["end"]["after_s"])
            os.kill(child, signal.SIGKILL)  # a zombie at worst, since nobody has waited for it
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
