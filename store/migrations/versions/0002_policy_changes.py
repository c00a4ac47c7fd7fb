"""Who proposed and who approved which version of a policy.

Revision: 0002, after 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    op.create_table(
        "policy_change",
        col("id", TEXT),
        col("policy", TEXT),
        col("kind", TEXT),
        col("state", TEXT),
        col("digest", TEXT),
        col("base_digest", TEXT, null=True),
        col("source_digest", TEXT, null=True),
        col("version", TEXT),
        col("effective", TEXT),
        col("applies_to_open", sa.Boolean()),
        col("values", JSON),
        col("reason", TEXT),
        col("proposed_by", TEXT),
        col("proposed_name", TEXT),
        col("proposed_at", INT),
        col("decided_by", TEXT, null=True),
        col("decided_name", TEXT, null=True),
        col("decided_at", INT, null=True),
        col("comment", TEXT, null=True),
        col("backtest", TEXT, null=True),
        col("row_version", INT),
        sa.CheckConstraint("kind IN ('installed', 'version', 'parameters')", name=op.f("ck_policy_change_kind")),
        sa.CheckConstraint("state IN ('proposed', 'active', 'rejected', 'withdrawn')", name=op.f("ck_policy_change_state")),
        sa.CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name=op.f("ck_policy_change_decided")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by OR state = 'withdrawn' OR proposed_by = 'installation'",
            name=op.f("ck_policy_change_two_persons"),
        ),
        sa.ForeignKeyConstraint(["digest"], ["policy_version.digest"], name="fk_policy_change_digest_policy_version", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["base_digest"], ["policy_version.digest"], name="fk_policy_change_base_digest_policy_version", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_policy_change"),
    )
    op.create_index("ix_policy_change_policy_proposed_at_id", "policy_change", ["policy", "proposed_at", "id"])
    op.create_index("ix_policy_change_state_decided_at", "policy_change", ["state", "decided_at"])
    op.create_index(
        "uq_policy_change_source_digest",
        "policy_change",
        ["source_digest"],
        unique=True,
        postgresql_where=sa.text("source_digest IS NOT NULL"),
        sqlite_where=sa.text("source_digest IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("policy_change")
