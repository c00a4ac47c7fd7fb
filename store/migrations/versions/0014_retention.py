"""Retention: removals with their certificates, tombstones, counts of what was removed, legal holds.

Histories of breaches and the access log stay append-only, but for exactly the lines that a running removal has written down.

Revision: 0014, after 0013
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INT = sa.BigInteger()
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LINES = ("breach_history", "access_log")

_WRITTEN_DOWN = """EXISTS (
    SELECT 1 FROM removal_line l JOIN removal r ON r.id = l.removal
    WHERE r.state = 'running' AND l.kind = {kind} AND l.number = OLD.id AND l.first IS NULL AND l.new IS {null} NULL
) OR EXISTS (
    SELECT 1 FROM removal_line l JOIN removal r ON r.id = l.removal
    WHERE r.state = 'running' AND l.kind = {kind} AND l.first <= OLD.id AND l.number >= OLD.id AND l.new IS {null} NULL
)"""

FUNCTION = f"""
    CREATE FUNCTION duecare_removed_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF {_WRITTEN_DOWN.format(kind="TG_TABLE_NAME", null="")} THEN RETURN OLD; END IF;
        ELSIF NEW.id = OLD.id AND ({_WRITTEN_DOWN.format(kind="TG_TABLE_NAME", null="NOT")}) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
"""
DONE = """
    CREATE FUNCTION duecare_certified() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.state = 'running' AND NEW.id = OLD.id THEN RETURN NEW; END IF;
        RAISE EXCEPTION 'a certificate does not change' USING ERRCODE = 'restrict_violation';
    END $$
"""


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        col("id", TEXT), col("case_id", TEXT), col("reason", TEXT), col("set_by", TEXT), col("set_name", TEXT), col("set_at", INT),
        col("lifted_by", TEXT, null=True), col("lifted_name", TEXT, null=True), col("lifted_at", INT, null=True),
        col("lift_reason", TEXT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="ck_legal_hold_lifted"),
    )  # fmt: skip
    op.create_index("ix_legal_hold_case_id_set_at", "legal_hold", ["case_id", "set_at"])
    op.create_index("ix_legal_hold_set_at_id", "legal_hold", ["set_at", "id"])
    op.create_table(
        "removal",
        col("id", TEXT), col("state", TEXT), col("created", INT), col("created_by", TEXT), col("created_name", TEXT),
        col("finished", INT, null=True), col("rules", DOCUMENT), col("rules_digest", TEXT), col("position", INT),
        col("seal", INT, null=True), col("cases", INT), col("journeys", INT), col("lines", INT), col("counts", DOCUMENT),
        col("kept", DOCUMENT), col("chain", TEXT), col("mac", TEXT), col("token", TEXT, null=True), col("lease_until", INT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_removal"),
        sa.CheckConstraint("state IN ('running', 'done')", name="ck_removal_state"),
        sa.CheckConstraint("(state = 'done') = (finished IS NOT NULL)", name="ck_removal_finished"),
    )  # fmt: skip
    running = sa.text("state = 'running'")
    op.create_index("uq_removal_running", "removal", ["state"], unique=True, postgresql_where=running, sqlite_where=running)
    op.create_table(
        "removal_line",
        col("id", SERIAL), col("removal", TEXT), col("kind", TEXT), col("line", TEXT), col("number", INT, null=True),
        col("first", INT, null=True), col("old", TEXT), col("new", TEXT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_removal_line"),
        sa.ForeignKeyConstraint(["removal"], ["removal.id"], name="fk_removal_line_removal_removal", ondelete="RESTRICT"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_removal_line_kind_number_id", "removal_line", ["kind", "number", "id"])
    op.create_index("ix_removal_line_kind_line_id", "removal_line", ["kind", "line", "id"])
    op.create_index("ix_removal_line_removal_id", "removal_line", ["removal", "id"])
    ranges = sa.text("first IS NOT NULL")
    op.create_index("ix_removal_line_range", "removal_line", ["kind", "first"], postgresql_where=ranges, sqlite_where=ranges)
    op.create_table(
        "removal_case",
        col("case_id", TEXT), col("pseudonym", TEXT),
        sa.PrimaryKeyConstraint("case_id", name="pk_removal_case"),
    )  # fmt: skip
    op.create_table(
        "tombstone",
        col("digest", TEXT), col("key_id", TEXT), col("through", INT), col("removed_at", INT), col("removal", TEXT), col("mode", TEXT),
        sa.PrimaryKeyConstraint("digest", name="pk_tombstone"),
        sa.ForeignKeyConstraint(["removal"], ["removal.id"], name="fk_tombstone_removal_removal", ondelete="RESTRICT"),
    )  # fmt: skip
    op.create_table(
        "removed_count",
        col("id", SERIAL), col("kind", TEXT), col("policy", TEXT), col("rule", TEXT), col("severity", TEXT), col("team", TEXT, null=True),
        col("office", TEXT, null=True), col("month", TEXT), col("status", TEXT, null=True), col("verdict", TEXT, null=True),
        col("cause", TEXT, null=True), col("days", INT, null=True), col("days_late", INT, null=True), col("condition", TEXT, null=True),
        col("review", TEXT, null=True), col("number", INT),
        sa.PrimaryKeyConstraint("id", name="pk_removed_count"),
        sa.CheckConstraint("kind IN ('verdict', 'breach')", name="ck_removed_count_kind"),
    )  # fmt: skip
    op.create_index("ix_removed_count_kind_policy_rule", "removed_count", ["kind", "policy", "rule"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_postgresql() -> None:
    op.execute(FUNCTION)
    op.execute(DONE)
    for table in LINES:
        op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION duecare_removed_only()"
        )
    for table, function in (("removal", "duecare_certified"), ("removal_line", "duecare_append_only")):
        op.execute(f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION duecare_append_only()"
        )


def _guard_sqlite() -> None:
    for table in LINES:
        for what, null in (("update", "NOT"), ("delete", "")):
            written = _WRITTEN_DOWN.format(kind=f"'{table}'", null=null)
            op.execute(f"DROP TRIGGER {table}_no_{what}")
            op.execute(
                f"CREATE TRIGGER {table}_no_{what} BEFORE {what.upper()} ON {table} WHEN NOT ({written}) "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER removal_no_update BEFORE UPDATE ON removal WHEN OLD.state <> 'running' "
        "BEGIN SELECT RAISE(ABORT, 'a certificate does not change'); END"
    )
    op.execute("CREATE TRIGGER removal_no_delete BEFORE DELETE ON removal BEGIN SELECT RAISE(ABORT, 'a certificate does not change'); END")
    for what in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER removal_line_no_{what} BEFORE {what.upper()} ON removal_line "
            "BEGIN SELECT RAISE(ABORT, 'removal_line is append-only'); END"
        )


def downgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for table in LINES:
        if postgres:
            op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
            op.execute(
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION duecare_append_only()"
            )
            continue
        for what in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{what}")
            op.execute(
                f"CREATE TRIGGER {table}_no_{what} BEFORE {what.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    for table in ("removed_count", "tombstone", "removal_case", "removal_line", "removal", "legal_hold"):
        op.drop_table(table)
    if postgres:
        op.execute("DROP FUNCTION duecare_removed_only")
        op.execute("DROP FUNCTION duecare_certified")
