"""Writing rows that nobody asks back: by far the most frequent writes of the house.

Django composes an INSERT anew each time, which costs more than sending it, and each
waits for its answer. Here the statement is composed once a model, and in a verb's
transaction the rows wait for its end and leave together: one way there and back on
PostgreSQL. No signal is sent and no key comes back, so this is for log lines,
messages and kept answers alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.db import connection, models

_waiting: ContextVar[list[models.Model] | None] = ContextVar("waiting", default=None)


@cache
def statement_for(model: type[models.Model]) -> tuple[str, list[Any]]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table = connection.ops.quote_name(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES ({places})", fields  # noqa: S608


def insert(row: models.Model) -> None:
    """At once, or with the others at the end of the verb's transaction."""
    waiting = _waiting.get()
    if waiting is None:
        send([row])
    else:
        waiting.append(row)


@contextmanager
def together() -> Iterator[None]:
    """Rows inserted inside leave at the end, unless something fails."""
    if _waiting.get() is not None:
        yield
        return
    token = _waiting.set([])
    try:
        yield
        flush()
    finally:
        _waiting.reset(token)


def flush() -> None:
    """Send what waits: for whoever reads or deletes such rows in the same transaction."""
    waiting = _waiting.get()
    if waiting:
        rows, waiting[:] = list(waiting), []
        send(rows)


def send(rows: list[models.Model]) -> None:
    statements, values = [], []
    for row in rows:
        statement, fields = statement_for(type(row))
        statements.append(statement)
        values.append(
            [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
        )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(";\n".join(statements), [value for one in values for value in one])
        else:
            for statement, one in zip(statements, values, strict=True):
                cursor.execute(statement, one)
