"""Seals: a chain of hashes over histories, the access log, decisions on policies, waivers and reports of audits.

Revision: 0012, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

GUARD = {
    "sqlite": """
        CREATE TRIGGER seal_no_update BEFORE UPDATE ON seal
            BEGIN SELECT RAISE(ABORT, 'seal is append-only'); END
        ----
        CREATE TRIGGER seal_no_delete BEFORE DELETE ON seal
            BEGIN SELECT RAISE(ABORT, 'seal is append-only'); END
    """,
    "postgresql": """
        CREATE TRIGGER seal_no_change BEFORE UPDATE OR DELETE ON seal
            FOR EACH ROW EXECUTE FUNCTION duecare_append_only()
        ----
        CREATE TRIGGER seal_no_truncate BEFORE TRUNCATE ON seal
            FOR EACH STATEMENT EXECUTE FUNCTION duecare_append_only()
    """,
}


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("number", INT, nullable=False, autoincrement=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("after", INT, nullable=True),
        sa.Column("upto", INT, nullable=True),
        sa.Column("rows", INT, nullable=False),
        sa.Column("root", TEXT, nullable=False),
        sa.Column("lines", TEXT, nullable=False),
        sa.Column("prev_hash", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_seal"),
        sa.UniqueConstraint("prev_hash", name="uq_seal_prev_hash"),
    )
    op.create_index("ix_seal_kind_number", "seal", ["kind", "number"])
    for statement in GUARD[op.get_bind().dialect.name].split("----"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("seal")
