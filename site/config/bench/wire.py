"""Listening to what leaves for the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def wire() -> Iterator[list[str]]:
    """Each statement that leaves for the database, BEGIN and COMMIT included.

    Those that leave together are counted one by one. SQLite's BEGIN is a statement like
    others; PostgreSQL's driver sends it unseen.
    """
    statements: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.extend(sql.split(";\n"))
        return execute(sql, params, many, context)

    set_autocommit, commit = connection.set_autocommit, connection.commit

    def noted_begin(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        if not autocommit and connection.vendor == "postgresql":
            statements.append("BEGIN")
        set_autocommit(autocommit, *args, **kwargs)

    def noted_commit() -> None:
        statements.append("COMMIT")
        commit()

    connection.set_autocommit = noted_begin  # type: ignore[method-assign]
    connection.commit = noted_commit  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(note):
            yield statements
    finally:
        del connection.set_autocommit, connection.commit
