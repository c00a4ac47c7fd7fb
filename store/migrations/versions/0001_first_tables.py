"""The first tables.

Revision: 0001, after none
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INT = sa.BigInteger()
BOOL = sa.Boolean()
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

GUARD = {
    "sqlite": """
        CREATE TRIGGER breach_history_no_update BEFORE UPDATE ON breach_history
            BEGIN SELECT RAISE(ABORT, 'breach_history is append-only'); END
        ----
        CREATE TRIGGER breach_history_no_delete BEFORE DELETE ON breach_history
            BEGIN SELECT RAISE(ABORT, 'breach_history is append-only'); END
    """,
    "postgresql": """
        CREATE FUNCTION duecare_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
        ----
        CREATE TRIGGER breach_history_no_change BEFORE UPDATE OR DELETE ON breach_history
            FOR EACH ROW EXECUTE FUNCTION duecare_append_only()
        ----
        CREATE TRIGGER breach_history_no_truncate BEFORE TRUNCATE ON breach_history
            FOR EACH STATEMENT EXECUTE FUNCTION duecare_append_only()
    """,
}


def col(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    op.create_table(
        "api_key",
        col("id", TEXT),
        col("name", TEXT),
        col("hash", TEXT),
        col("scopes", JSON),
        col("teams", JSON, null=True),
        col("offices", JSON, null=True),
        col("created", INT),
        col("expires", INT, null=True),
        col("revoked", INT, null=True),
        col("last_used", INT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "audit",
        col("id", TEXT),
        col("created", INT),
        col("created_by", TEXT),
        col("as_of", INT),
        col("known_at", INT),
        col("position", INT),
        col("policies", JSON),
        col("scope", JSON),
        col("state", TEXT),
        col("total", INT),
        col("started", INT, null=True),
        col("finished", INT, null=True),
        col("summary", JSON, null=True),
        col("error", TEXT, null=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_audit_state")),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_created_id", "audit", ["created", "id"])
    op.create_table(
        "breach",
        col("id", TEXT),
        col("case_id", TEXT),
        col("episode", TEXT),
        col("policy", TEXT),
        col("rule", TEXT),
        col("obligation", TEXT),
        col("condition", TEXT),
        col("review", TEXT),
        col("severity", TEXT),
        col("severity_rank", INT),
        col("team", TEXT, null=True),
        col("office", TEXT, null=True),
        col("worker", TEXT, null=True),
        col("due_on", TEXT, null=True),
        col("due_key", TEXT),
        col("days_late", INT, null=True),
        col("contested", TEXT, null=True),
        col("opened_at", INT),
        col("changed_at", INT),
        col("announced_at", INT, null=True),
        col("announce_after", INT, null=True),
        col("version", INT),
        col("policy_digest", TEXT),
        col("snapshot", JSON),
        sa.CheckConstraint("condition IN ('open', 'remedied', 'withdrawn', 'excused')", name=op.f("ck_breach_condition")),
        sa.CheckConstraint("review IN ('new', 'acknowledged', 'upheld', 'dismissed')", name=op.f("ck_breach_review")),
        sa.PrimaryKeyConstraint("id", name="pk_breach"),
        sa.UniqueConstraint("case_id", "episode", "policy", "rule", "obligation", name="uq_breach_case_id_episode_policy_rule_obligation"),
    )
    op.create_index("ix_breach_announce_after", "breach", ["announce_after"])
    op.create_index("ix_breach_changed_at_id", "breach", ["changed_at", "id"])
    op.create_index("ix_breach_condition_review_opened_at", "breach", ["condition", "review", "opened_at"])
    op.create_index("ix_breach_due_key_id", "breach", ["due_key", "id"])
    op.create_index("ix_breach_opened_at_id", "breach", ["opened_at", "id"])
    op.create_index("ix_breach_severity_rank_id", "breach", ["severity_rank", "id"])
    op.create_index("ix_breach_team_condition_opened_at", "breach", ["team", "condition", "opened_at"])
    op.create_table(
        "case_link",
        col("case_id", TEXT),
        col("key", TEXT),
        col("kind", TEXT),
        sa.PrimaryKeyConstraint("case_id", "key", name="pk_case_link"),
    )
    op.create_index("ix_case_link_key_case_id", "case_link", ["key", "case_id"])
    op.create_table(
        "case_state",
        col("case_id", TEXT),
        col("id", TEXT),
        col("next_check_at", INT, null=True),
        col("evaluated_at", INT),
        col("position", INT),
        col("as_of", INT),
        col("program", TEXT, null=True),
        col("team", TEXT, null=True),
        col("office", TEXT, null=True),
        col("worker", TEXT, null=True),
        col("open_breaches", INT),
        col("summary", JSON),
        col("queries", JSON),
        col("query_count", INT),
        sa.PrimaryKeyConstraint("case_id", name="pk_case_state"),
        sa.UniqueConstraint("id", name="uq_case_state_id"),
    )
    op.create_index("ix_case_state_evaluated_at_id", "case_state", ["evaluated_at", "id"])
    op.create_index(
        "ix_case_state_next_check_at",
        "case_state",
        ["next_check_at", "case_id"],
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index("ix_case_state_team_case_id", "case_state", ["team", "case_id"])
    op.create_table(
        "conflict",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("source", TEXT),
        col("event_id", TEXT),
        col("case_id", TEXT),
        col("received", INT),
        col("digest", TEXT),
        col("kept_digest", TEXT),
        col("kept_position", INT),
        col("deliveries", INT),
        sa.PrimaryKeyConstraint("id", name="pk_conflict"),
        sa.UniqueConstraint("source", "event_id", "digest", name="uq_conflict_source_event_id_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conflict_received_id", "conflict", ["received", "id"])
    op.create_table(
        "dirty",
        col("case_id", TEXT),
        col("generation", INT),
        col("since", INT),
        col("attempts", INT),
        col("last_error", TEXT, null=True),
        col("quarantined", BOOL),
        col("claimed_until", INT, null=True),
        col("claimed_by", TEXT, null=True),
        col("token", TEXT, null=True),
        sa.PrimaryKeyConstraint("case_id", name="pk_dirty"),
    )
    op.create_index(
        "ix_dirty_waiting",
        "dirty",
        ["since", "case_id"],
        postgresql_where=sa.text("NOT quarantined"),
        sqlite_where=sa.text("NOT quarantined"),
    )
    op.create_table(
        "event",
        sa.Column("position", SERIAL, autoincrement=True, nullable=False),
        col("source", TEXT),
        col("id", TEXT),
        col("type", TEXT),
        col("case_id", TEXT),
        col("time", INT),
        col("recorded", INT),
        col("recorded_given", BOOL),
        col("received", INT),
        col("data", JSON),
        col("digest", TEXT),
        col("target", TEXT, null=True),
        sa.PrimaryKeyConstraint("position", name="pk_event"),
        sa.UniqueConstraint("source", "id", name="uq_event_source_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_case_id_position", "event", ["case_id", "position"])
    op.create_index("ix_event_source_position", "event", ["source", "position"])
    op.create_index(
        "ix_event_target",
        "event",
        ["target", "source"],
        postgresql_where=sa.text("target IS NOT NULL"),
        sqlite_where=sa.text("target IS NOT NULL"),
    )
    op.create_table(
        "heartbeat",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("source", TEXT),
        col("recorded", INT),
        col("complete_until", INT),
        sa.PrimaryKeyConstraint("id", name="pk_heartbeat"),
        sa.UniqueConstraint("source", "recorded", "complete_until", name="uq_heartbeat_source_recorded_complete_until"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_heartbeat_source_complete_until_recorded", "heartbeat", ["source", "complete_until", "recorded"])
    op.create_table(
        "outbox",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("message_id", TEXT),
        col("topic", TEXT),
        col("key", TEXT),
        col("payload", JSON),
        col("created", INT),
        col("available_at", INT),
        col("sent_at", INT, null=True),
        col("attempts", INT),
        col("last_error", TEXT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("message_id", name="uq_outbox_message_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_topic_key", "outbox", ["topic", "key"])
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["available_at", "id"],
        postgresql_where=sa.text("sent_at IS NULL"),
        sqlite_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "policy_version",
        col("digest", TEXT),
        col("policy", TEXT),
        col("version", TEXT),
        col("effective", TEXT, null=True),
        col("text", JSON),
        col("first_used", INT),
        sa.PrimaryKeyConstraint("digest", name="pk_policy_version"),
    )
    op.create_index("ix_policy_version_policy_first_used", "policy_version", ["policy", "first_used"])
    op.create_table(
        "reject",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("source", TEXT),
        col("event_id", TEXT, null=True),
        col("received", INT),
        col("problems", JSON),
        col("payload", JSON, null=True),
        col("replayed_at", INT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_reject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reject_received", "reject", ["received"])
    op.create_index("ix_reject_source_id", "reject", ["source", "id"])
    op.create_table(
        "source",
        col("source", TEXT),
        col("adapter", TEXT, null=True),
        col("cursor", JSON, null=True),
        col("last_received", INT, null=True),
        col("last_pull", INT, null=True),
        col("last_error", TEXT, null=True),
        col("failures", INT),
        sa.PrimaryKeyConstraint("source", name="pk_source"),
    )
    op.create_table(
        "user_account",
        col("id", TEXT),
        col("name", TEXT),
        col("email", TEXT, null=True),
        col("subject", TEXT, null=True),
        col("password_hash", TEXT, null=True),
        col("roles", JSON),
        col("teams", JSON, null=True),
        col("offices", JSON, null=True),
        col("must_change", BOOL),
        col("failed", INT),
        col("locked_until", INT, null=True),
        col("disabled", BOOL),
        col("sessions_after", INT),
        col("created", INT),
        col("last_login", INT, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.UniqueConstraint("name", name="uq_user_account_name"),
        sa.UniqueConstraint("subject", name="uq_user_account_subject"),
    )
    op.create_table(
        "verdict",
        col("case_id", TEXT),
        col("episode", TEXT),
        col("policy", TEXT),
        col("rule", TEXT),
        col("obligation", TEXT),
        col("id", TEXT),
        col("policy_digest", TEXT),
        col("verdict", TEXT),
        col("reason", TEXT, null=True),
        col("severity", TEXT),
        col("severity_rank", INT),
        col("status", TEXT),
        col("activated_on", TEXT, null=True),
        col("due_on", TEXT, null=True),
        col("due_key", TEXT),
        col("due_soon_on", TEXT, null=True),
        col("satisfied_on", TEXT, null=True),
        col("days_late", INT, null=True),
        col("curable", BOOL),
        col("evidence", JSON),
        col("rejected", JSON),
        col("team", TEXT, null=True),
        col("office", TEXT, null=True),
        col("worker", TEXT, null=True),
        col("contested", TEXT, null=True),
        col("as_of", INT),
        col("known_at", INT),
        col("changed_at", INT),
        col("digest", TEXT),
        sa.PrimaryKeyConstraint("case_id", "episode", "policy", "rule", "obligation", name="pk_verdict"),
        sa.UniqueConstraint("id", name="uq_verdict_id"),
    )
    op.create_index("ix_verdict_changed_at_id", "verdict", ["changed_at", "id"])
    op.create_index("ix_verdict_due_key_id", "verdict", ["due_key", "id"])
    op.create_index("ix_verdict_policy_rule_due_key", "verdict", ["policy", "rule", "due_key"])
    op.create_index("ix_verdict_team_due_key_id", "verdict", ["team", "due_key", "id"])
    op.create_index("ix_verdict_verdict_due_key_id", "verdict", ["verdict", "due_key", "id"])
    op.create_table(
        "audit_case",
        col("audit_id", TEXT),
        col("case_id", TEXT),
        col("team", TEXT, null=True),
        col("office", TEXT, null=True),
        col("done_at", INT, null=True),
        col("verdicts", JSON, null=True),
        col("differences", JSON, null=True),
        col("queries", JSON, null=True),
        col("error", TEXT, null=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_audit_case_audit_id_audit", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("audit_id", "case_id", name="pk_audit_case"),
    )
    op.create_index("ix_audit_case_audit_id_done_at", "audit_case", ["audit_id", "done_at"])
    op.create_table(
        "breach_history",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        col("breach_id", TEXT),
        col("at", INT),
        col("kind", TEXT),
        col("actor", TEXT),
        col("from", TEXT, null=True),
        col("to", TEXT, null=True),
        col("policy_digest", TEXT, null=True),
        col("known_at", INT, null=True),
        col("event_position", INT, null=True),
        col("events", JSON),
        col("reason_code", TEXT, null=True),
        col("comment", TEXT, null=True),
        col("prev_hash", TEXT),
        col("hash", TEXT),
        sa.ForeignKeyConstraint(["breach_id"], ["breach.id"], name="fk_breach_history_breach_id_breach", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_breach_history"),
        sa.UniqueConstraint("breach_id", "prev_hash", name="uq_breach_history_breach_id_prev_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_breach_history_breach_id_id", "breach_history", ["breach_id", "id"])
    op.create_table(
        "waiver",
        col("id", TEXT),
        col("breach_id", TEXT),
        col("author", TEXT),
        col("approver", TEXT, null=True),
        col("reason_code", TEXT),
        col("comment", TEXT, null=True),
        col("state", TEXT),
        col("created", INT),
        col("decided_at", INT, null=True),
        col("ends_at", INT),
        col("evidence_digest", TEXT),
        col("version", INT),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'refused', 'void', 'ended')", name=op.f("ck_waiver_state")),
        sa.CheckConstraint("approver IS NULL OR approver <> author", name=op.f("ck_waiver_two_persons")),
        sa.ForeignKeyConstraint(["breach_id"], ["breach.id"], name="fk_waiver_breach_id_breach", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_waiver"),
    )
    op.create_index("ix_waiver_breach_id_created", "waiver", ["breach_id", "created"])
    op.create_index("ix_waiver_state_ends_at", "waiver", ["state", "ends_at"])
    # ### end Alembic commands ###
    for statement in GUARD[op.get_bind().dialect.name].split("----"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("waiver")
    op.drop_table("breach_history")
    op.drop_table("audit_case")
    op.drop_table("verdict")
    op.drop_table("user_account")
    op.drop_table("source")
    op.drop_table("reject")
    op.drop_table("policy_version")
    op.drop_table("outbox")
    op.drop_table("heartbeat")
    op.drop_table("event")
    op.drop_table("dirty")
    op.drop_table("conflict")
    op.drop_table("case_state")
    op.drop_table("case_link")
    op.drop_table("breach")
    op.drop_table("audit")
    op.drop_table("api_key")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION duecare_append_only")
