"""A user's own measurements: a table of the bundled one's columns, strictly checked."""

from __future__ import annotations

from pathlib import Path

from optimizer.model_cards import UnknownModelError, is_model_file, model_card
from optimizer.sizing.measured.inference import ENGINE_NAMES, PRECISIONS, InferenceRow
from providers.errors import DocumentError
from providers.strict_table import Row, Table, near

COLUMNS = (
    "id", "source", "date", "hardware", "n_gpus", "model", "quant", "engine", "engine_version",
    "prompt_tokens", "output_tokens", "concurrency", "metric", "value", "unit", "workload",
    "kv_bits", "note",
)  # fmt: skip
REQUIRED = (
    "hardware", "n_gpus", "model", "quant", "engine", "prompt_tokens", "output_tokens",
    "concurrency", "metric", "value",
)  # fmt: skip
UNITS = {
    "decode_tok_s": "tokens/s",
    "output_tok_s": "tokens/s",
    "total_tok_s": "tokens/s",
    "tpot_ms": "ms",
}
"""Figures that tell a pace."""
WORKLOADS = ("static", "closed", "open")
OWN_SOURCE = "measured by the user"


def read_measurements(path: Path) -> tuple[InferenceRow, ...]:
    """The rows of a table (CSV, YAML, XLSX or Parquet) that the user measured.

    Raises:
        DocumentError: every fault, with line and column.
    """
    return measurements_in(path.read_bytes(), str(path))


def measurements_in(content: bytes, name: str) -> tuple[InferenceRow, ...]:
    """The same of a file's bytes; `name` stands for the file in messages."""
    table, folder = Table(content, name, COLUMNS, REQUIRED), Path(name).parent
    rows = [_row(number, row, folder) for number, row in enumerate(table.rows, 1)]
    table.check()
    return tuple(rows)


def _row(number: int, row: Row, folder: Path) -> InferenceRow:
    metric = row.word("metric", tuple(UNITS), "")
    unit = UNITS.get(metric, "tokens/s")
    if row.has("unit") and row.text("unit") != unit:
        row.fault("unit", f"{metric} is in {unit}, not in '{row.text('unit')}'")
    value = float(row.number("value"))
    if value <= 0:
        row.fault("value", f"{metric} is not above 0")
    return InferenceRow(
        id=row.text("id", f"row {number}"),
        source=row.text("source", OWN_SOURCE),
        date=row.day("date").isoformat() if row.has("date") else "",
        hardware=row.gpu("hardware"),
        gpus=row.count("n_gpus"),
        model=_model(row, folder),
        quant=_named(row, "quant", PRECISIONS),
        engine=_named(row, "engine", ENGINE_NAMES),
        engine_version=row.text("engine_version"),
        prompt_tokens=float(row.count("prompt_tokens")),
        output_tokens=float(row.count("output_tokens")),
        concurrency=float(row.count("concurrency")),
        metric=metric,
        value=value,
        unit=unit,
        workload=row.word("workload", WORKLOADS, "closed"),
        kv_bits=row.count("kv_bits", 16),
        note=row.text("note"),
    )


def _model(row: Row, folder: Path) -> str:
    """A card's id, or the path of a configuration, which starts at the table's folder."""
    name = row.text("model")
    path = str(folder / name)
    try:
        if not name or not is_model_file(path):
            return model_card(name).id
        model_card(path)
        return path
    except UnknownModelError as error:
        message, _, hint = str(error).partition("; ")
    except DocumentError as error:
        message, hint = "; ".join(str(fault) for fault in error.faults), ""
    row.fault("model", message, hint)
    return ""


def _named(row: Row, column: str, names: dict[str, str]) -> str:
    """The table's name for what is given by that name, or by a schedule's."""
    found = row.text(column).lower()
    for name, in_schedule in names.items():
        if found in (name.lower(), in_schedule):
            return name
    if found:
        known = tuple(dict.fromkeys(names.values()))
        row.fault(column, f"'{found}' is not a known {column}", near(found, known))
    return ""
