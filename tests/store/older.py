"""Stores as an earlier program left them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from providers.store.database import database


def make_older(url: str | Path) -> None:
    """Take back what the last migration did."""
    place = database(url, read_only=False)
    with place.writing() as connection:
        connection.execute(text("DROP TABLE decision"))
        connection.execute(text("UPDATE rentopt_schema SET version_num = '0001'"))
    place.close()
