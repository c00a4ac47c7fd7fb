"""What is open, by due day: a list of what falls due soon no longer goes through all that was due before.

Revision: 0015, after 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations.ahead import Index

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NAME = "ix_verdict_open"
OPEN = sa.text("verdict IN ('due_soon', 'pending') AND status = 'enforced'")
AHEAD = (Index(NAME, "verdict", ("due_key", "id"), where=OPEN),)


def upgrade() -> None:
    for index in AHEAD:
        index.make(op)


def downgrade() -> None:
    op.drop_index(NAME, table_name="verdict")
