"""Indexes from which lists are sorted and their filters counted without reading the rows, whose documents make them large.

Codes from client systems may be long, and what an index holds of a row may not: none has all of team, office and worker.

Revision: 0011, after 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_breach_counts", "breach", ["condition", "review", "severity", "assignee", "policy", "rule", "team", "opened_at"]),
    ("ix_case_state_office_team_open_breaches", "case_state", ["office", "team", "open_breaches"]),
    ("ix_case_state_open_breaches_id", "case_state", ["open_breaches", "id"]),
)
BY_DUE_DAY = "ix_verdict_verdict_due_key_id"
TOLD_BESIDE = ["status", "due_on", "policy", "rule", "severity", "team"]


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    op.drop_index(BY_DUE_DAY, table_name="verdict")
    op.create_index(BY_DUE_DAY, "verdict", ["verdict", "due_key", "id"], postgresql_include=TOLD_BESIDE)


def downgrade() -> None:
    op.drop_index(BY_DUE_DAY, table_name="verdict")
    op.create_index(BY_DUE_DAY, "verdict", ["verdict", "due_key", "id"])
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
