"""The commands below ``rentopt prices``."""

from __future__ import annotations

import typer

from optimizer.cli.prices import care, history, refresh, reparse, schedule, status, transfer

app = typer.Typer(
    no_args_is_help=True,
    help="Price tables: renew them, look at their history, keep them in health.",
)
app.command()(refresh.refresh)
app.command()(status.status)
app.command()(history.history)
app.command()(history.diff)
app.command()(transfer.export)
app.command("import")(transfer.import_)
app.command()(reparse.reparse)
app.command()(care.doctor)
app.command()(care.vacuum)
app.command()(care.backup)
app.command()(care.migrate)
app.command()(schedule.schedule)
