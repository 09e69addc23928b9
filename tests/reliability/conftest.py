"""A market of every source whose servers can be spoilt, and a ward where refreshes are killed."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

for folder in ("adapters", "prices"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))


@pytest.fixture
def secrets(monkeypatch):
    from rig import planted

    for name, value in planted().items():
        monkeypatch.setenv(name, value)
    return planted()


@pytest.fixture
def market(tmp_path, monkeypatch, secrets):
    from rig import Market

    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield Market(tmp_path, stack)


@pytest.fixture
def ward(tmp_path, monkeypatch, secrets):
    from deaths import Ward

    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield Ward(tmp_path, stack)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    from desk import Desk

    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield Desk(tmp_path, stack)
