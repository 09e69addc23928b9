"""Workbooks read, edited and recalculated as a reader would."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import lint_tools
import openpyxl


def opened(body: bytes, *, values: bool = False) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body), data_only=values)


def cell(book: openpyxl.Workbook, name: str):
    """The cell of a defined name."""
    (sheet, place) = next(iter(book.defined_names[name].destinations))
    return book[sheet][place.replace("$", "")]


def edited(body: bytes, **changed: float) -> bytes:
    """With other values in named cells, and without the values that were there before."""
    book = opened(body)
    for name, value in changed.items():
        cell(book, name).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def recalculated(bodies: dict[str, bytes], folder: Path) -> dict[str, openpyxl.Workbook]:
    """All of them worked out by LibreOffice, in one run of it; the values alone."""
    if "soffice" in lint_tools.MISSING:
        raise AssertionError("soffice is not installed: apt-get install libreoffice-calc")
    for name, body in bodies.items():
        (folder / f"{name}.xlsx").write_bytes(body)
    done = subprocess.run(
        [
            "soffice", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
            "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out"),
            *(str(folder / f"{name}.xlsx") for name in bodies),
        ],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {
        name: opened((folder / "out" / f"{name}.xlsx").read_bytes(), values=True) for name in bodies
    }


def formulas(book: openpyxl.Workbook):
    """Every cell that is worked out."""
    for sheet in book:
        for row in sheet.iter_rows():
            yield from (c for c in row if c.data_type == "f")
