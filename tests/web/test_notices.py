"""Messages to others, over the real service: what was given up is seen, sent again or dismissed, by administrators of everything."""

from __future__ import annotations

from sqlalchemy import select

from store import notices
from store.models import AccessLogRow, NoticeRow
from store.outbox import Message


def give_up(flow, *ids: str) -> None:
    with flow.svc.writing() as session:
        for one in ids:
            body = {"at": "2026-06-01T00:00:00Z", "breach": {"case": "FAM-77"}}
            notices.add(session, "partner", [Message(one, "breach.opened", "FAM-77", body, 0)], now=flow.clock.ms)
            (notice,) = notices.due(session, "partner", now=flow.clock.ms)
            notices.failed(session, notice, "it answers 422", now=flow.clock.ms, retry_at=None)


def states(flow) -> dict[str, str]:
    with flow.svc.reading() as session:
        return {row.message_id: row.state for row in session.scalars(select(NoticeRow))}


def test_what_was_given_up_is_seen_sent_again_and_dismissed_and_names_no_case(flow, enter):
    give_up(flow, "m1", "m2", "m3")
    admin = enter("kim", "administrator")
    page = admin.get("/administration/notifications")
    assert "3 messages were given up" in page.main
    assert "it answers 422" in page.main
    assert "No longer in the file" in page.main
    assert "FAM-77" not in page.main
    with flow.svc.reading() as session:
        numbers = dict(session.execute(select(NoticeRow.message_id, NoticeRow.id)).all())
    admin.post(f"/administration/notifications/{numbers['m1']}/retry", {})
    admin.post(f"/administration/notifications/{numbers['m2']}/dismiss", {})
    assert states(flow) == {"m1": "waiting", "m2": "dismissed", "m3": "dead"}
    admin.post(f"/administration/notifications/{numbers['m2']}/dismiss", {}, status=404)
    admin.post("/administration/notifications/none/dismiss", {}, status=404)
    admin.post("/administration/notifications/all/retry", {})
    assert states(flow)["m3"] == "waiting"
    with flow.svc.reading() as session:
        actions = list(session.scalars(select(AccessLogRow.action).order_by(AccessLogRow.id)))
    assert {"notices.list", "notice.retry", "notice.dismiss"} <= set(actions)


def test_an_administrator_with_limits_and_everybody_else_is_refused(flow, enter):
    enter("noor", "administrator", teams=["north"]).get("/administration/notifications", status=403)
    enter("jo").post("/administration/notifications/all/retry", {}, status=403)
