"""Stand-ins for what plans a case in another process, that are killed on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from optimizer.sweep import backends
from optimizer.sweep.document import PlanOptions
from optimizer.sweep.rows import Row

MARKS = "RENTOPT_TEST_MARKS"
"""Folder with a file for each start of a case, by its number."""
_from_shelf, _on_node = backends._from_shelf, backends._on_node


def started(folder: Path) -> dict[int, int]:
    """Case → how often it was started."""
    return {int(path.name): path.stat().st_size for path in folder.iterdir()}


def _mark(name: object, folder: str) -> int:
    with (Path(folder) / str(name)).open("a") as file:
        file.write("x")
        return file.tell()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def once(task: tuple[int, Any, Any], book: Path, options: PlanOptions) -> tuple[int, Row]:
    """The process of every fourth case is killed the first time."""
    times = _mark(task[0], os.environ[MARKS])
    if task[0] % 4 == 1 and times == 1:
        (book.parent / f"@{task[0]}").touch()
        _die()
    return _from_shelf(task, book, options)


def always(task: tuple[int, Any, Any], book: Path, options: PlanOptions) -> tuple[int, Row]:
    """The process of case 2 is killed whenever it is planned."""
    _mark(task[0], os.environ[MARKS])
    if task[0] == 2:
        (book.parent / f"@{task[0]}").touch()
        _die()
    return _from_shelf(task, book, options)
