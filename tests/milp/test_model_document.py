"""MODEL.md speaks of every column, every family and every row the code makes."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from golden_instance import GOLDEN, golden_instance

import optimizer.milp
from optimizer.milp.assemble import assemble
from optimizer.milp.constraints import FAMILIES, add_active
from optimizer.milp.merge import merge_days
from optimizer.milp.variables import Variables

TEXT = (Path(optimizer.milp.__file__).parent / "MODEL.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", [add_active, *FAMILIES], ids=lambda family: family.__name__)
def test_every_family_is_in_the_model_document(family: object) -> None:
    assert f"| `{family.__name__}` |" in TEXT  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [field.name for field in fields(Variables)])
def test_every_kind_of_column_is_in_the_model_document(name: str) -> None:
    assert re.search(rf"^\| `{name}\[", TEXT, re.MULTILINE)


def test_every_name_that_the_model_prints_is_in_the_document() -> None:
    data = golden_instance()
    for instance in (data, merge_days(data, 7).instance):
        model, _ = assemble(instance)
        for name in {name.split("[")[0] for name in (*model.names, *model.row_names)}:
            assert f"`{name}[" in TEXT, name


def test_the_document_has_no_family_that_is_gone() -> None:
    told = set(re.findall(r"^\| `(add_\w+)` \|", TEXT, re.MULTILINE))
    assert told == {f"add_{path.stem}" for path in GOLDEN.glob("*.txt")}


def test_every_file_it_names_exists() -> None:
    root = Path(optimizer.milp.__file__).parent
    for name in re.findall(r"`(\w+\.py)`", TEXT):
        assert (root / name).exists(), name
