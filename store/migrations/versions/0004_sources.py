"""What client systems are asked for: whose turn it is to ask, what became of each record, and rejects by record.

Revision: 0004, after 0003
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    for name in ("last_good_pull", "next_pull_at", "lease_until"):
        op.add_column("source", col(name, INT, null=True))
    op.add_column("source", col("token", TEXT, null=True))
    op.add_column("source", sa.Column("records", INT, nullable=False, server_default="0"))
    op.create_table(
        "source_record",
        col("source", TEXT),
        col("kind", TEXT),
        col("ref", TEXT),
        col("digest", TEXT),
        col("events", JSON),
        col("sweep", INT),
        sa.PrimaryKeyConstraint("source", "kind", "ref", name="pk_source_record"),
    )
    op.create_index("ix_source_record_source_kind_sweep", "source_record", ["source", "kind", "sweep"])
    op.drop_table("reject")  # nothing has written to it yet
    op.create_table(
        "reject",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("source", TEXT),
        col("kind", TEXT),
        col("ref", TEXT),
        col("received", INT),
        col("problems", JSON),
        col("payload", JSON, null=True),
        col("replayed_at", INT, null=True),
        col("dismissed_at", INT, null=True),
        col("dismissed_by", TEXT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_reject"),
        sa.UniqueConstraint("source", "kind", "ref", name="uq_reject_source_kind_ref"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reject_source_id", "reject", ["source", "id"])
    op.create_index("ix_reject_received", "reject", ["received"])


def downgrade() -> None:
    op.drop_table("reject")
    op.create_table(
        "reject",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("source", TEXT),
        col("event_id", TEXT, null=True),
        col("received", INT),
        col("problems", JSON),
        col("payload", JSON, null=True),
        col("replayed_at", INT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_reject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reject_source_id", "reject", ["source", "id"])
    op.create_index("ix_reject_received", "reject", ["received"])
    op.drop_table("source_record")
    for name in ("records", "token", "lease_until", "next_pull_at", "last_good_pull"):
        op.drop_column("source", name)
