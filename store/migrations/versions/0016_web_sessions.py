"""Where people are signed in: a row a session, so that one can be ended while the others go on.

A program of 0015 goes by the account alone (``sessions_after``), which programs from here on keep as well.

Revision: 0016, after 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "web_session",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("how", TEXT, nullable=False),
        sa.Column("device", TEXT, nullable=False),
        sa.Column("made", INT, nullable=False),
        sa.Column("seen", INT, nullable=False),
        sa.Column("ends", INT, nullable=False),
        sa.Column("ended", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
        sa.ForeignKeyConstraint(["account"], ["user_account.id"], name="fk_web_session_account_user_account", ondelete="RESTRICT"),
        sa.CheckConstraint("how IN ('password', 'single')", name="ck_web_session_how"),
    )
    op.create_index("ix_web_session_account_seen_id", "web_session", ["account", "seen", "id"])


def downgrade() -> None:
    op.drop_table("web_session")
