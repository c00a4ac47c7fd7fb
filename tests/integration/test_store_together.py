"""Statements that travel together: their order, their faults, and a connection that is lost under them; on a real PostgreSQL."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store.sql import Statement
from store.together import pipelined, together
from tests.support.stores import Store

CASES = Statement("SELECT case_id FROM dirty WHERE case_id IN LISTED(:cases) ORDER BY case_id")
MARK = Statement(
    "INSERT INTO dirty (case_id, generation, since, attempts, quarantined) VALUES (:case_id, 1, 0, 0, FALSE) RETURNING case_id"
)
BROKEN = Statement("SELECT 1 / (SELECT count(*) FROM dirty WHERE case_id = :case_id)")


def test_each_statement_sees_what_those_before_it_have_done(store: Store) -> None:
    with store.write() as session:
        rows = together(session, [(CASES, {"cases": {"b", "a"}}), (MARK, {"case_id": "a"}), (CASES, {"cases": {"b", "a"}})])
    assert [[row.case_id for row in some] for some in rows] == [[], ["a"], ["a"]]


@pytest.fixture
def postgres_store(store: Store) -> Store:
    if store.engine.dialect.name != "postgresql":
        pytest.skip("SQLite is asked without messages")
    return store


def test_a_fault_undoes_all_and_bears_its_code(postgres_store: Store) -> None:
    def mark_and_fail() -> None:
        with postgres_store.write.begin() as session, pipelined(session):
            MARK.on(session, case_id="a")
            together(session, [(BROKEN, {"case_id": "b"})])

    with pytest.raises(DBAPIError) as caught:
        mark_and_fail()
    assert caught.value.orig is not None
    assert getattr(caught.value.orig, "sqlstate", None) == "22012"
    with postgres_store.write() as session:
        assert together(session, [(CASES, {"cases": {"a"}})]) == [[]]


def test_a_connection_that_is_lost_is_given_up_and_the_next_one_works(postgres_store: Store) -> None:
    def lose_it() -> None:
        with postgres_store.write() as session, postgres_store.write() as other:
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            other.execute(text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})
            together(session, [(CASES, {"cases": {"a"}})])

    with pytest.raises(DBAPIError) as caught:
        lose_it()
    assert caught.value.connection_invalidated
    with postgres_store.write() as session:
        assert together(session, [(CASES, {"cases": {"a"}})]) == [[]]
