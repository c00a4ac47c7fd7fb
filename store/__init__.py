"""The store: tables, sessions, queries and migrations, on SQLite (embedded) and PostgreSQL.

It remembers and finds; what a fact means is decided in rules/ and what is to be done about it in service/.
Imports rules/, sqlalchemy, alembic and psycopg, and nothing else of the project.
"""
