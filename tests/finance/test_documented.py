"""docs/finance.md has a worked line for everything public in the package, and they are true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import optimizer.finance

PAGE = Path(__file__).parents[2] / "docs" / "finance.md"
MODULES = sorted(module.name for module in pkgutil.iter_modules(optimizer.finance.__path__))


def worked_lines() -> str:
    return PAGE.read_text(encoding="utf-8").split("```pycon\n")[1].split("```")[0]


def test_every_worked_line_gives_what_stands_below_it():
    examples = doctest.DocTestParser().get_doctest(worked_lines(), {}, PAGE.name, str(PAGE), 0)
    found = doctest.DocTestRunner(verbose=False).run(examples)
    assert found.attempted > 90
    assert found.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_nothing_public_is_missing_on_the_page(name):
    module = importlib.import_module(f"optimizer.finance.{name}")
    public = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value) or hasattr(value, "cache_info"))
        and value.__module__ == module.__name__
    }
    block = worked_lines()
    assert f"from optimizer.finance.{name} import *" in block
    assert public
    assert not [key for key in sorted(public) if key not in block]
