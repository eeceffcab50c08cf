"""What the database itself refuses, where Django's constraints cannot say it on both.

SQLite drops a table's triggers when a later migration rebuilds the table; so guards
are put in place after each `migrate`, by statements that change nothing where they
stand already. Each app registers its own.
"""

from dataclasses import dataclass

from django.db import connections


@dataclass(frozen=True)
class Guard:
    """`name` is the constraint's or triggers'; `sqlite` the triggers' events and bodies."""

    name: str
    table: str
    postgresql: tuple[str, ...]
    postgresql_off: str
    sqlite: tuple[tuple[str, str], ...]

    def statements(self, vendor: str) -> list[str]:
        if vendor == "postgresql":
            return list(self.postgresql)
        return [
            f"CREATE TRIGGER IF NOT EXISTS {trigger} {body}"
            for trigger, (_event, body) in zip(self.triggers, self.sqlite, strict=True)
        ]

    @property
    def triggers(self) -> list[str]:
        return [f"{self.name}_{event.split()[0].lower()}" for event, _body in self.sqlite]

    def off(self, vendor: str) -> list[str]:
        if vendor == "postgresql":
            return [self.postgresql_off]
        return [f"DROP TRIGGER IF EXISTS {trigger}" for trigger in self.triggers]


def no_overlap(
    name: str, table: str, key: str, starts: str, ends: str, where: str, *, days: bool = False
) -> Guard:
    """At most one row of a `key` on any instant of [starts, ends), or any day of [starts, ends].

    `where` is the condition on a row, with `{row}` before each column.
    """
    span = (
        f"daterange({starts}, {ends}, '[]')" if days else f"tstzrange({starts}, {ends})"
    )  # fmt: skip
    constraint = f"""
        DO $$ BEGIN
            CREATE EXTENSION IF NOT EXISTS btree_gist;
            IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '{name}'
                           AND conrelid = '{table}'::regclass) THEN
                ALTER TABLE {table} ADD CONSTRAINT {name}
                    EXCLUDE USING gist ({key} WITH =, {span} WITH &&)
                    WHERE ({where.format(row="")});
            END IF;
        END $$
    """  # noqa: S608 - only names of ours
    at_most = ">=" if days else ">"
    bodies = tuple(
        (
            event,
            f"""
            BEFORE {event} ON {table}
            WHEN {where.format(row="NEW.")} AND NEW.{ends} {at_most} NEW.{starts}
            BEGIN
                SELECT RAISE(ABORT, '{name}') FROM {table} AS other
                WHERE other.{key} = NEW.{key}
                  AND {where.format(row="other.")}
                  AND other.{ends} {at_most} NEW.{starts}
                  AND NEW.{ends} {at_most} other.{starts}
                  AND other.{ends} {at_most} other.{starts}
                  AND other.id IS NOT NEW.id;
            END
            """,  # noqa: S608 - only names of ours
        )
        for event in ("INSERT", "UPDATE")
    )
    off = f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"
    return Guard(name, table, (constraint,), off, bodies)


def append_only(name: str, table: str) -> Guard:
    """Rows are written once: no change, no deletion."""
    function = f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation'; END $$
    """
    trigger = f"""
        CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {name}()
    """
    bodies = tuple(
        (event, f"BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{name}'); END")
        for event in ("UPDATE", "DELETE")
    )
    off = f"DROP TRIGGER IF EXISTS {name} ON {table}"
    return Guard(name, table, (function, trigger), off, bodies)


_guards: dict[str, Guard] = {}


def register(*guards: Guard) -> None:
    """Called from the app's `ready()`; a second call for a name replaces the first."""
    for guard in guards:
        _guards[guard.name] = guard


def install(using: str = "default", only: Guard | None = None) -> None:
    """Put the guards in place whose tables are there."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in [only] if only else _guards.values():
            if guard.table in tables:
                for statement in guard.statements(connection.vendor):
                    cursor.execute(statement)


def remove(guard: Guard, using: str = "default") -> None:
    """Take a guard away: for the tests that first prove the fault without it."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for statement in guard.off(connection.vendor):
            cursor.execute(statement)
