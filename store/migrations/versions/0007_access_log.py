"""Who read or changed what.

Revision: 0007, after 0006
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

GUARD = {
    "sqlite": """
        CREATE TRIGGER access_log_no_update BEFORE UPDATE ON access_log
            BEGIN SELECT RAISE(ABORT, 'access_log is append-only'); END
        ----
        CREATE TRIGGER access_log_no_delete BEFORE DELETE ON access_log
            BEGIN SELECT RAISE(ABORT, 'access_log is append-only'); END
    """,
    "postgresql": """
        CREATE TRIGGER access_log_no_change BEFORE UPDATE OR DELETE ON access_log
            FOR EACH ROW EXECUTE FUNCTION duecare_append_only()
        ----
        CREATE TRIGGER access_log_no_truncate BEFORE TRUNCATE ON access_log
            FOR EACH STATEMENT EXECUTE FUNCTION duecare_append_only()
    """,
}


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("at", INT),
        col("actor", TEXT),
        col("via", TEXT),
        col("action", TEXT),
        col("outcome", TEXT),
        col("case_ref", TEXT, null=True),
        col("thing", TEXT, null=True),
        col("count", INT, null=True),
        col("request_id", TEXT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
        sa.CheckConstraint("outcome IN ('done', 'refused', 'not_found', 'not_done', 'failed')", name=op.f("ck_access_log_outcome")),
        sqlite_autoincrement=True,
    )
    for column in ("actor", "case_ref", "thing"):
        op.create_index(f"ix_access_log_{column}_at_id", "access_log", [column, "at", "id"])
    op.create_index("ix_access_log_at_id", "access_log", ["at", "id"])
    for statement in GUARD[op.get_bind().dialect.name].split("----"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("access_log")
