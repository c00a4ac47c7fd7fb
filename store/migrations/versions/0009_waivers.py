"""When a waiver became void, so that a look back knows the time before.

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("waiver", sa.Column("voided_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("waiver", "voided_at")
