"""What a refused record holds back, case by case where its case is known; a sweep that found nearly nothing, until it is confirmed.

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "case_hold",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("complete_until", INT, nullable=False),
        sa.Column("since", INT, nullable=False),
        sa.Column("released", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_case_hold"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_case_hold_case_id", "case_hold", ["case_id"])
    op.create_index("ix_case_hold_source_kind_ref", "case_hold", ["source", "kind", "ref"])
    op.add_column("reject", sa.Column("holds_from", INT, nullable=True))
    op.execute("UPDATE reject SET holds_from = received")
    op.add_column("source", sa.Column("vanished", JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("source", "vanished")
    op.drop_column("reject", "holds_from")
    op.drop_table("case_hold")
