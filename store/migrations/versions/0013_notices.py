"""Messages on their way to those who asked to be told, and whose turn it is to send them.

What was owed before anything was sent has nobody who waits for it: it counts as passed on.

Revision: 0013, after 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state = 'waiting'")
UNSENT = sa.text("sent_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "receiver",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("token", TEXT, nullable=True),
        sa.Column("lease_until", INT, nullable=True),
        sa.Column("rest_until", INT, nullable=True),
        sa.Column("failures", INT, nullable=False),
        sa.Column("last_good", INT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("digest_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_receiver"),
    )
    op.create_table(
        "notice",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("created", INT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("next_at", INT, nullable=False),
        sa.Column("attempts", INT, nullable=False),
        sa.Column("ended_at", INT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("receiver", "message_id", name="uq_notice_receiver_message_id"),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'dead', 'dismissed', 'collapsed')", name=op.f("ck_notice_state")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notice_due", "notice", ["receiver", "next_at", "id"], postgresql_where=WAITING, sqlite_where=WAITING)
    op.create_index("ix_notice_order", "notice", ["receiver", "key", "id"], postgresql_where=WAITING, sqlite_where=WAITING)
    op.create_index("ix_notice_state_id", "notice", ["state", "id"])
    op.execute("UPDATE outbox SET sent_at = created WHERE sent_at IS NULL")
    op.drop_index("ix_outbox_unsent", table_name="outbox")
    op.create_index("ix_outbox_unsent", "outbox", ["id"], postgresql_where=UNSENT, sqlite_where=UNSENT)


def downgrade() -> None:
    op.drop_index("ix_outbox_unsent", table_name="outbox")
    op.create_index("ix_outbox_unsent", "outbox", ["available_at", "id"], postgresql_where=UNSENT, sqlite_where=UNSENT)
    op.drop_table("notice")
    op.drop_table("receiver")
