"""Indexes from which lists are sorted and their filters counted without reading the rows, whose documents make them large.

Revision: 0011, after 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INDEXES = (
    (
        "ix_breach_counts",
        "breach",
        ["condition", "review", "severity", "assignee", "policy", "rule", "team", "office", "worker", "opened_at"],
    ),
    ("ix_case_state_counts", "case_state", ["office", "team", "program", "worker", "open_breaches"]),
    ("ix_case_state_open_breaches_id", "case_state", ["open_breaches", "id"]),
)


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
