"""The servers of the other tests: they start, and stop, and come back with what they are meant to keep."""

from __future__ import annotations

import psycopg
import redis

from tests.support import servers


def test_a_killed_postgres_comes_back_with_its_data(own_postgres: servers.Postgres):
    with own_postgres.database() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        own_postgres.restart(kill=True)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_a_restarted_redis_has_forgotten_everything(own_redis: servers.Valkey):
    with redis.Redis.from_url(own_redis.url) as client:
        client.set("key", "value")
    own_redis.restart()
    with redis.Redis.from_url(own_redis.url) as client:
        assert client.get("key") is None


def test_each_test_has_an_empty_database_of_its_own(pg_db: str, redis_db: str):
    with psycopg.connect(pg_db) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    with redis.Redis.from_url(redis_db) as client:
        assert client.dbsize() == 0


def test_a_store_is_offered_on_both_databases(store_url: str):
    assert store_url.startswith(("sqlite:///", "postgresql://"))
