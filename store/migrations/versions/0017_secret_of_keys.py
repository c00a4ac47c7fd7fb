"""With which secret key the hash of each API key was made, so that keys are told apart that a lost one has made void.

Empty for keys of earlier programs: their first use under a program from here on fills it.

Revision: 0017, after 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("api_key", sa.Column("secret_id", TEXT, nullable=True))


def downgrade() -> None:
    op.drop_column("api_key", "secret_id")
