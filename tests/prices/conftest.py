"""A desk for each test."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from desk import Desk


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield Desk(tmp_path, stack)
