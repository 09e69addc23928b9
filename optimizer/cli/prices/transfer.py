"""``rentopt prices export`` and ``import``: prices out of the store and into it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.price_options import StoreUrl
from optimizer.cli.prices.history import end_of_day
from optimizer.cli.prices.store import held, opened

if TYPE_CHECKING:
    from providers.adapter import Adapter


class ExportFormat(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


class Layout(StrEnum):
    TABLE = "table"
    SKYPILOT = "skypilot"
    GPUHUNT = "gpuhunt"


def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    format: Annotated[
        ExportFormat | None,
        typer.Option("--format", help="Form of the file.", show_default="by its name"),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only the prices of that day, not every change."),
    ] = None,
    store: StoreUrl = None,
) -> None:
    """Write the price history, one row a change, with FOCUS-aligned columns."""
    from optimizer.cli.plan import check_writable
    from optimizer.report.files import write_atomically
    from optimizer.report.price_export import change_row, offer_row, to_csv, to_parquet
    from providers.config import load_config

    check_writable(output)
    chosen = format or (ExportFormat.PARQUET if output.suffix == ".parquet" else ExportFormat.CSV)
    with opened(load_config(store=store), create=False) as prices:
        if as_of is None:
            rows = [change_row(change) for change in prices.history()]
        else:
            tables = prices.offers(as_of=end_of_day(as_of.date()))
            rows = [offer_row(n, offer) for n, table in tables.items() for offer in table]
    write_atomically(output, to_parquet(rows) if chosen is ExportFormat.PARQUET else to_csv(rows))
    typer.echo(f"wrote {output}: {len(rows)} rows", err=True)


def import_(
    file: Annotated[str, typer.Argument(help="File, or https address of a table.")],
    name: Annotated[str, typer.Option("--as", help="Name of the source in the store.")],
    layout: Annotated[Layout, typer.Option(help="Columns of the file.")] = Layout.TABLE,
    seller: Annotated[
        str, typer.Option(help="Whose prices a catalogue file has, where its name does not tell.")
    ] = "",
    valid_from: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Day from which the prices were in force.",
            show_default="today",
        ),
    ] = None,
    store: StoreUrl = None,
) -> None:
    """Keep the prices of a file under a name; a later import under it replaces them."""
    from providers.adapter import read_table
    from providers.config import load_config
    from providers.errors import RentoptError
    from providers.registry import ADAPTERS, FILE_ADAPTERS

    if name in set(ADAPTERS) - FILE_ADAPTERS and valid_from is None:
        raise RentoptError(
            f"'{name}' is a source that the refresh asks; choose another name for the file, or "
            "give --valid-from to fill in its past"
        )
    now = datetime.now(UTC)
    table = read_table(_reader(layout, file, now, seller))
    if not table.offers:
        reasons = "; ".join(f"{row.row}: {row.reason}" for row in table.rejected[:3])
        raise RentoptError(f"{file}: no offer in it ({reasons or 'it is empty'})")
    moment = datetime.combine(valid_from.date(), datetime.min.time(), UTC) if valid_from else now
    config = load_config(store=store)
    with held(config) as prices:
        done = prices.import_offers(name, table.offers, valid_from=moment, note=file)
    typer.echo(
        f"{name}: {len(table.offers)} offers, {done.added} new, {done.changed} changed, "
        f"{done.vanished} gone; {len(table.rejected)} rows rejected"
    )
    for row in table.rejected[:20]:
        typer.echo(f"  {row.row}: {row.reason}")


def _reader(layout: Layout, file: str, now: datetime, seller: str) -> Adapter:
    from providers.registry import load_adapter

    kind = load_adapter(layout.value)
    if layout is Layout.TABLE:
        if seller:
            raise typer.BadParameter("a table names its sellers itself", param_hint="--seller")
        reader: Adapter = kind([file], now)
    else:
        reader = kind([file], now, seller=seller)
    return reader
