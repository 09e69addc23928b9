"""Which format a table is in: by its name, else by how its bytes begin."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from providers.formats.cells import Cells, Place

_BY_SUFFIX = {
    ".csv": "csv",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "yaml",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".parquet": "parquet",
}
_BY_BEGINNING = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet"}
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
"""Of .xls, and of .xlsx with a password."""


def read_cells(data: bytes, name: str) -> Cells:
    """The cells of a table.

    Args:
        name: path or address, for its ending and for what faults call it.

    Raises:
        DocumentError: it has not the format that its name tells, or is no table.
        MissingPackageError: the format needs a package that is not installed.
    """
    if data.startswith(_OLD_WORKBOOK):
        message = "an old or encrypted workbook cannot be read"
        raise Place(name).refused(message, "save it as .xlsx, without a password")
    path = urlsplit(name).path if "://" in name else name.replace("\\", "/")
    format = _BY_SUFFIX.get(PurePosixPath(path).suffix.lower())
    if format is None:
        sniffed = (found for sign, found in _BY_BEGINNING.items() if data.startswith(sign))
        format = next(sniffed, "csv")
    # Only what is needed: the bundled tables are CSV, and are read by every command.
    module = import_module(f"providers.formats.{format}_file")
    opener: Callable[[bytes, str], Cells] = getattr(module, f"read_{format}")
    return opener(data, name)
