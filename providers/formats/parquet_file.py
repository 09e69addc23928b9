"""Parquet files: decimals and texts are exact, floats are the shortest decimals they stand for."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from providers.formats.cells import Cells, Line, MissingPackageError, Place, yes_no

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 1_000_000


def read_parquet(data: bytes, name: str) -> Cells:
    """The cells of a Parquet file; rows are counted from 1.

    Raises:
        DocumentError: it is no Parquet file, or a column holds lists or other structures.
        MissingPackageError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise MissingPackageError(name, "pyarrow") from None
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        rows = file.metadata.num_rows
        if rows > MOST_ROWS:
            raise Place(name).refused(f"the file has {rows:,} rows; at most {MOST_ROWS:,} are read")
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        why = f"the file is no Parquet that can be read: {error}"
        raise Place(name).refused(" ".join(why.split())[:200]) from None
    columns = table.column_names
    header = [(c, Place(name, path=f"column {c}", order=(0, n))) for n, c in enumerate(columns)]
    texts = [_texts(table.column(n), place) for n, (_, place) in enumerate(header)]
    lines = enumerate(zip(*texts, strict=True), 1)
    return Cells(Place(name), header, [_line(name, n, columns, row) for n, row in lines])


def _line(name: str, row: int, columns: list[str], texts: tuple[str, ...]) -> Line:
    order = {column: number for number, column in reversed([*enumerate(columns)])}

    def at(column: str) -> Place:
        shown = f"row {row}, column {column}" if column else f"row {row}"
        return Place(name, path=shown, order=(row, order.get(column, -1)))

    return Line(f"row {row}", dict(zip(columns, texts, strict=True)), at)


def _texts(column: pa.ChunkedArray, place: Place) -> list[str]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise place.refused(f"a column of {kind} holds no single values")
    if pa.types.is_floating(kind):
        # Arrow writes the shortest text that is the same number in the column's own precision.
        return [_plain(text) for text in column.cast(pa.string()).to_pylist()]
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    return [_written(value) for value in column.to_pylist()]


def _plain(text: str | None) -> str:
    return (text or "").removesuffix(".0")


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return yes_no(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return value.isoformat() if isinstance(value, date) else str(value).strip()
