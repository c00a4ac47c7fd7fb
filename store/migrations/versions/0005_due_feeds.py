"""Due days as calendars that people subscribe to, counts of verdicts made ahead, and quick ways to what is contested or stale.

Revision: 0005, after 0004
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    op.create_table(
        "due_feed",
        col("id", TEXT),
        col("hash", TEXT),
        col("maker", TEXT),
        col("team", TEXT, null=True),
        col("created", INT),
        col("revoked", INT, null=True),
        col("last_used", INT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_due_feed"),
    )
    op.create_index("ix_due_feed_maker_created_id", "due_feed", ["maker", "created", "id"])
    op.create_table(
        "verdict_tally",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        *(col(name, TEXT) for name in ("policy", "rule", "severity", "status")),
        *(col(name, TEXT, null=True) for name in ("team", "office")),
        *(col(name, TEXT) for name in ("span", "verdict", "cause")),
        col("timing", INT, null=True),
        col("number", INT),
        sa.PrimaryKeyConstraint("id", name="pk_verdict_tally"),
    )
    op.create_table(
        "tally_state",
        sa.Column("id", INT, autoincrement=False, nullable=False),
        col("counted_at", INT, null=True),
        col("took", INT),
        col("seen", INT),
        col("claimed_until", INT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_tally_state"),
    )
    contested, stale = sa.text("contested IS NOT NULL"), sa.text("reason = 'source_stale'")
    op.create_index("ix_breach_contested", "breach", ["review", "opened_at"], postgresql_where=contested, sqlite_where=contested)
    op.create_index("ix_verdict_stale", "verdict", ["status", "team", "office"], postgresql_where=stale, sqlite_where=stale)


def downgrade() -> None:
    op.drop_index("ix_verdict_stale", table_name="verdict")
    op.drop_index("ix_breach_contested", table_name="breach")
    op.drop_table("tally_state")
    op.drop_table("verdict_tally")
    op.drop_table("due_feed")
