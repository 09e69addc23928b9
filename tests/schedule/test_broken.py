"""Every broken schedule of the corpus is refused with exactly the lines beside it.

To see the lines of a new one: ``rentopt validate tests/schedule/broken/NAME.yaml``.
"""

from pathlib import Path

import pytest

from optimizer.schedule.load import load_schedule
from providers.errors import DocumentError

FOLDER = Path(__file__).parent / "broken"
BROKEN = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.fixture(autouse=True)
def in_the_folder(monkeypatch):
    monkeypatch.chdir(FOLDER)


def refused(path):
    with pytest.raises(DocumentError) as caught:
        load_schedule(path)
    return caught.value.faults


@pytest.mark.parametrize("name", BROKEN)
def test_every_fault_is_told_with_its_place_and_a_hint(name):
    expected = (FOLDER / f"{name}.expected").read_text(encoding="utf-8")
    assert "".join(f"{fault}\n" for fault in refused(Path(f"{name}.yaml"))) == expected


@pytest.mark.parametrize("name", BROKEN)
def test_a_place_is_inside_the_file(name):
    lines = (FOLDER / f"{name}.yaml").read_bytes().splitlines()
    for fault in refused(Path(f"{name}.yaml")):
        assert 0 <= fault.line <= max(len(lines), 1) + 1
        assert bool(fault.line) == bool(fault.column)


def test_the_corpus_is_complete():
    assert len(BROKEN) >= 60
    assert sorted(path.stem for path in FOLDER.glob("*.expected")) == BROKEN


def test_a_file_that_is_not_there_is_named(tmp_path):
    (fault,) = refused(tmp_path / "nowhere.yaml")
    assert fault.message == "cannot be read: no such file or directory"


def test_a_folder_is_no_schedule(tmp_path):
    (fault,) = refused(tmp_path)
    assert fault.message == "cannot be read: is a directory"


def test_a_file_beyond_five_megabytes_is_not_read(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b"# " + b"x" * 5_000_000)
    (fault,) = refused(path)
    assert fault.message == "the file has 5,000,001 bytes; at most 5,000,000 are read" or (
        "at most 5,000,000" in fault.message
    )


def test_a_list_without_end_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text("name: [" + "1," * 60_000 + "1]\n")
    (fault,) = refused(path)
    assert fault.message == "the document has more than 50,000 values"
