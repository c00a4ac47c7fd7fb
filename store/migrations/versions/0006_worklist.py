"""Who works on a breach, and views of the work list that people keep.

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("breach", sa.Column("assignee", TEXT, nullable=True))
    op.create_index("ix_breach_assignee_condition_opened_at", "breach", ["assignee", "condition", "opened_at"])
    op.create_table(
        "saved_view",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("created", INT, nullable=False),
        sa.Column("changed", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("owner", "name", name="uq_saved_view_owner_name"),
    )
    op.create_index("ix_saved_view_shared_name_id", "saved_view", ["shared", "name", "id"])


def downgrade() -> None:
    op.drop_table("saved_view")
    op.drop_index("ix_breach_assignee_condition_opened_at", table_name="breach")
    op.drop_column("breach", "assignee")
