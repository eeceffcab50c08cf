"""The database's own refusal of two claims on one copy at one instant.

Django's constraints cannot say it on both databases, and SQLite drops a table's
triggers when a later migration rebuilds the table; so the guards are put in place
after each `migrate`, by statements that change nothing where they stand already.
"""

from django.db import connections

TABLE = "concierge_loan"
EXCLUSION = "concierge_loan_no_overlap"
CODE = "copy already claimed"

POSTGRESQL = f"""
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS btree_gist;
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '{EXCLUSION}'
                   AND conrelid = '{TABLE}'::regclass) THEN
        ALTER TABLE {TABLE} ADD CONSTRAINT {EXCLUSION}
            EXCLUDE USING gist (copy_id WITH =, tstzrange(starts_at, held_until) WITH &&)
            WHERE (status IN ('reserved', 'ready', 'out'));
    END IF;
END $$
"""  # noqa: S608 - only names of ours

SQLITE = [
    f"""
    CREATE TRIGGER IF NOT EXISTS {EXCLUSION}_{event.split()[0].lower()}
    BEFORE {event} ON {TABLE}
    WHEN NEW.status IN ('reserved', 'ready', 'out') AND NEW.held_until > NEW.starts_at
    BEGIN
        SELECT RAISE(ABORT, '{CODE}') FROM {TABLE} AS other
        WHERE other.copy_id = NEW.copy_id
          AND other.status IN ('reserved', 'ready', 'out')
          AND other.held_until > NEW.starts_at
          AND other.starts_at < NEW.held_until
          AND other.held_until > other.starts_at
          AND other.id IS NOT NEW.id;
    END
    """  # noqa: S608 - only names of ours
    for event in ("INSERT", "UPDATE OF copy_id, starts_at, held_until, status")
]


def install(using: str) -> None:
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    statements = [POSTGRESQL] if connection.vendor == "postgresql" else SQLITE
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(using: str) -> None:
    """Take the guards away: for the tests that first prove the race without them."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {EXCLUSION}")
        else:
            for event in ("insert", "update"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {EXCLUSION}_{event}")
