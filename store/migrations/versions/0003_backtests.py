"""Backtests: what a version of a policy would have said of the cases on record.

Revision: 0003, after 0002
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    op.create_table(
        "backtest",
        col("id", TEXT),
        col("policy", TEXT),
        col("candidate", TEXT),
        col("base", JSON),
        col("as_of", INT),
        col("known_at", INT),
        col("position", INT),
        col("heartbeat", INT),
        col("since", TEXT, null=True),
        col("state", TEXT),
        col("total", INT),
        col("created", INT),
        col("created_by", TEXT),
        col("created_name", TEXT),
        col("started", INT, null=True),
        col("finished", INT, null=True),
        col("report", TEXT, null=True),
        col("report_digest", TEXT, null=True),
        col("error", TEXT, null=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_backtest_state")),
        sa.CheckConstraint("(state = 'done') = (report IS NOT NULL)", name=op.f("ck_backtest_report")),
        sa.ForeignKeyConstraint(["candidate"], ["policy_version.digest"], name="fk_backtest_candidate_policy_version", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_backtest"),
    )
    op.create_index("ix_backtest_created_id", "backtest", ["created", "id"])
    op.create_index("ix_backtest_candidate_state", "backtest", ["candidate", "state"])
    op.create_table(
        "backtest_chunk",
        col("backtest", TEXT),
        col("number", INT),
        col("first_case", TEXT),
        col("last_case", TEXT),
        col("cases", INT),
        col("attempts", INT),
        col("suspects", JSON),
        col("claimed_until", INT, null=True),
        col("token", TEXT, null=True),
        col("result", JSON, null=True),
        sa.ForeignKeyConstraint(["backtest"], ["backtest.id"], name="fk_backtest_chunk_backtest_backtest", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("backtest", "number", name="pk_backtest_chunk"),
    )
    op.create_index("ix_backtest_chunk_backtest_claimed_until", "backtest_chunk", ["backtest", "claimed_until"])


def downgrade() -> None:
    op.drop_table("backtest_chunk")
    op.drop_table("backtest")
