"""Databases that tests lend each other hold nothing of the one before."""

import psycopg

from tests.databases import Server

PERMISSIONS = "SELECT code, title, limited FROM auth.permission ORDER BY code"


def do(server: Server, database: str, statement: str) -> list[tuple[object, ...]]:
    url = server.url_for(server.admin.username or "postgres", database)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []


def test_rows_that_were_changed_and_added_are_as_before(server: Server) -> None:
    name = server.lend()
    held = do(server, name, PERMISSIONS)
    do(server, name, "UPDATE auth.permission SET title = 'spoilt'")
    do(server, name, "INSERT INTO auth.permission (code, title, limited) VALUES ('spoilt', 'spoilt', false)")
    do(server, name, "DELETE FROM auth.role_permission")
    server.take_back(name)

    assert server.lend() == name
    assert held and do(server, name, PERMISSIONS) == held
    assert do(server, name, "SELECT count(*) FROM auth.role_permission") != [(0,)]
    server.take_back(name)


def test_a_database_whose_tables_were_changed_is_not_lent_again(server: Server) -> None:
    for change in (
        "ALTER TABLE ts.enterprise ADD COLUMN spoilt int",
        "GRANT SELECT ON auth.person TO ts_app",
    ):
        name = server.lend()
        do(server, name, change)
        server.take_back(name)
        assert server.lend() != name
