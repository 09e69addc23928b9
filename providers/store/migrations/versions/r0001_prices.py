"""Runs, their snapshots, and every version of every offer; exchange rates."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.Text, nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("adapter", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.BigInteger),
        sa.Column("day", sa.Text),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("n_offers", sa.Integer, nullable=False),
        sa.Column("n_rejected", sa.Integer, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("vanished", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("rejected_id", sa.Integer, sa.ForeignKey("blob.id")),
        sa.Column("held_id", sa.Integer, sa.ForeignKey("blob.id")),
        sa.Column("releases", sa.Integer, sa.ForeignKey("run.id")),
    )
    op.create_index("run_of_adapter", "run", ["adapter", "valid_from", "id"])
    op.create_table(
        "run_snapshot",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("observed_at", sa.BigInteger, nullable=False),
        sa.Column("blob_id", sa.Integer, sa.ForeignKey("blob.id"), nullable=False, index=True),
    )
    op.create_table(
        "sku",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("adapter", sa.Text, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("seen_from", sa.BigInteger, nullable=False),
        sa.Column("seen_to", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("sku", "adapter"),
    )
    op.create_index("sku_alive", "sku", ["adapter", "seen_to"])
    op.create_table(
        "terms",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sku_id", sa.Integer, sa.ForeignKey("sku.id"), nullable=False, index=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("instance_type", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("gpu", sa.Text, nullable=False, index=True),
        sa.Column("gpu_count", sa.Integer, nullable=False),
        sa.Column("interconnect", sa.Text, nullable=False),
        sa.Column("vcpu", sa.Text),
        sa.Column("ram_gb", sa.Text),
        sa.Column("purchase_model", sa.Text, nullable=False),
        sa.Column("increment", sa.Text, nullable=False),
        sa.Column("tenor", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("tax_included", sa.Boolean),
        sa.Column("min_units", sa.Integer, nullable=False),
        sa.Column("max_gpus_per_host", sa.Integer, nullable=False),
        sa.Column("confidence", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_table(
        "note",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "version",
        sa.Column("sku_id", sa.Integer, sa.ForeignKey("sku.id"), primary_key=True),
        sa.Column("valid_from", sa.BigInteger, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("terms_id", sa.Integer, sa.ForeignKey("terms.id"), nullable=False),
        sa.Column("present", sa.SmallInteger, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("upfront", sa.Text, nullable=False),
        sa.Column("max_units", sa.BigInteger),
        sa.Column("valid_until", sa.Text),
        sa.Column("observed_on", sa.Text),
        sa.Column("note_id", sa.Integer, sa.ForeignKey("note.id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fx_rate",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("known_at", sa.BigInteger, primary_key=True),
        sa.Column("per_eur", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
