"""GPUs of the user's own: a table with the columns of ``data/hardware/accelerators.csv``."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from providers.errors import DocumentError, Fault
from providers.hardware import Accelerator, is_bundled, register
from providers.strict_table import Row, Table

COLUMNS = (
    "id", "vendor", "stack", "memory_gb", "bandwidth_gb_s", "fp16_tflops", "fp8_tflops",
    "int8_tops", "tdp_w", "nvlink_gb_s", "host_link_gb_s", "p2p", "family", "source", "note",
)  # fmt: skip
REQUIRED = ("id", "memory_gb")
STACKS = ("cuda", "rocm", "metal", "cann", "habana")


def add_hardware_file(path: Path) -> list[Accelerator]:
    """Makes the GPUs of a CSV, YAML, XLSX or Parquet file known by their ids, and returns them.

    `id` and `memory_gb` are required. Without bandwidth and matrix rate only memory is answered.

    Raises:
        DocumentError: every fault of the file; an id that the bundled table has already is one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DocumentError([Fault(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    table = Table(content, str(path), COLUMNS, REQUIRED)
    cards = [_card(row, path.name) for row in table.rows]
    table.check()
    register(cards)
    return cards


def _card(row: Row, file: str) -> Accelerator:
    name = row.text("id")
    if is_bundled(name):
        row.fault("id", f"'{name}' is in the bundled table already", "give it another id")
    return Accelerator(
        id=name,
        vendor=row.text("vendor"),
        stack=row.word("stack", STACKS, "cuda"),
        memory_gb=float(row.number("memory_gb")),
        bandwidth_gb_s=_figure(row, "bandwidth_gb_s"),
        fp16_tflops=_figure(row, "fp16_tflops"),
        fp8_tflops=_figure(row, "fp8_tflops"),
        int8_tops=_figure(row, "int8_tops"),
        tdp_w=_figure(row, "tdp_w"),
        nvlink_gb_s=float(row.number("nvlink_gb_s", Decimal(0))),
        host_link_gb_s=float(row.number("host_link_gb_s", Decimal(0))),
        p2p=bool(row.yes_no("p2p")),
        family=row.text("family", name),
        source=row.text("source", file),
        note=row.text("note"),
    )


def _figure(row: Row, column: str) -> float | None:
    found = row.maybe_number(column)
    return None if found is None else float(found)
