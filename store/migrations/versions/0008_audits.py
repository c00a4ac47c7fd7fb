"""Audits in chunks, their schedules and their reports.  The tables of the first release, which nothing ever filled, make way.

Revision: 0008, after 0007
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
STATES = "state IN ('queued', 'running', 'done', 'failed', 'cancelled')"
KINDS = "kind IN ('full', 'incremental')"


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def of_audit(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["audit"], ["audit.id"], name=f"fk_{table}_audit_audit", ondelete="CASCADE")


def upgrade() -> None:
    op.drop_table("audit_case")
    op.drop_table("audit")
    op.create_table(
        "audit_schedule",
        col("id", TEXT),
        col("name", TEXT),
        col("cron", TEXT),
        col("zone", TEXT),
        col("kind", TEXT),
        col("scope", JSON),
        col("sample", INT),
        col("created", INT),
        col("created_by", TEXT),
        col("created_name", TEXT),
        col("next_at", INT, null=True),
        col("last_at", INT, null=True),
        col("last_audit", TEXT, null=True),
        col("missed", INT),
        col("paused_because", TEXT, null=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_audit_schedule_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_audit_schedule"),
        sa.UniqueConstraint("name", name="uq_audit_schedule_name"),
    )
    ahead = sa.text("next_at IS NOT NULL")
    op.create_index("ix_audit_schedule_next_at", "audit_schedule", ["next_at", "id"], postgresql_where=ahead, sqlite_where=ahead)
    op.create_table(
        "audit",
        col("id", TEXT),
        col("kind", TEXT),
        col("as_of", INT),
        col("known_at", INT),
        col("position", INT),
        col("heartbeat", INT),
        col("lines", INT),
        col("policies", JSON),
        col("scope", JSON),
        col("seed", INT),
        col("sample", INT),
        col("state", TEXT),
        col("total", INT),
        col("created", INT),
        col("created_by", TEXT),
        col("created_name", TEXT),
        col("schedule", TEXT, null=True),
        col("scheduled_for", INT, null=True),
        col("missed", INT),
        col("started", INT, null=True),
        col("finished", INT, null=True),
        col("report", TEXT, null=True),
        col("report_digest", TEXT, null=True),
        col("error", TEXT, null=True),
        sa.CheckConstraint(STATES, name=op.f("ck_audit_state")),
        sa.CheckConstraint(KINDS, name=op.f("ck_audit_kind")),
        sa.CheckConstraint("(state = 'done') = (report IS NOT NULL)", name=op.f("ck_audit_report")),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint("schedule", "scheduled_for", name="uq_audit_schedule_scheduled_for"),
    )
    op.create_index("ix_audit_created_id", "audit", ["created", "id"])
    op.create_index("ix_audit_state_created", "audit", ["state", "created"])
    op.create_table(
        "audit_chunk",
        col("audit", TEXT),
        col("number", INT),
        col("first_case", TEXT),
        col("last_case", TEXT),
        col("cases", INT),
        col("attempts", INT),
        col("suspects", JSON),
        col("claimed_until", INT, null=True),
        col("token", TEXT, null=True),
        col("result", JSON, null=True),
        of_audit("audit_chunk"),
        sa.PrimaryKeyConstraint("audit", "number", name="pk_audit_chunk"),
    )
    op.create_index("ix_audit_chunk_audit_claimed_until", "audit_chunk", ["audit", "claimed_until"])
    op.create_table(
        "audit_prints",
        col("audit", TEXT),
        col("number", INT),
        col("prints", JSON),
        of_audit("audit_prints"),
        sa.PrimaryKeyConstraint("audit", "number", name="pk_audit_prints"),
    )
    op.create_table(
        "audit_differs",
        col("audit", TEXT),
        col("case_id", TEXT),
        of_audit("audit_differs"),
        sa.PrimaryKeyConstraint("audit", "case_id", name="pk_audit_differs"),
    )
    op.create_table(
        "audit_signature",
        col("audit", TEXT),
        col("signed_by", TEXT),
        col("name", TEXT),
        col("at", INT),
        col("digest", TEXT),
        col("comment", TEXT),
        sa.ForeignKeyConstraint(["audit"], ["audit.id"], name="fk_audit_signature_audit_audit", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("audit", "signed_by", name="pk_audit_signature"),
    )


def downgrade() -> None:
    for table in ("audit_signature", "audit_differs", "audit_prints", "audit_chunk", "audit", "audit_schedule"):
        op.drop_table(table)
    op.create_table(
        "audit",
        col("id", TEXT),
        col("created", INT),
        col("created_by", TEXT),
        col("as_of", INT),
        col("known_at", INT),
        col("position", INT),
        col("policies", JSON),
        col("scope", JSON),
        col("state", TEXT),
        col("total", INT),
        col("started", INT, null=True),
        col("finished", INT, null=True),
        col("summary", JSON, null=True),
        col("error", TEXT, null=True),
        sa.CheckConstraint(STATES, name=op.f("ck_audit_state")),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_created_id", "audit", ["created", "id"])
    op.create_table(
        "audit_case",
        col("audit_id", TEXT),
        col("case_id", TEXT),
        col("team", TEXT, null=True),
        col("office", TEXT, null=True),
        col("done_at", INT, null=True),
        col("verdicts", JSON, null=True),
        col("differences", JSON, null=True),
        col("queries", JSON, null=True),
        col("error", TEXT, null=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_audit_case_audit_id_audit", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("audit_id", "case_id", name="pk_audit_case"),
    )
    op.create_index("ix_audit_case_audit_id_done_at", "audit_case", ["audit_id", "done_at"])
