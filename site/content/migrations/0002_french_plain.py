"""A French text search that reads "maraicher" and "maraîcher" alike, on PostgreSQL.

SQLite's index does so by itself.
"""

from typing import Any

from django.db import migrations

NAME = "french_plain"


def make(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_ts_config WHERE cfgname = %s", [NAME])
        if cursor.fetchone():
            return
        cursor.execute("CREATE EXTENSION IF NOT EXISTS unaccent")
        cursor.execute(f"CREATE TEXT SEARCH CONFIGURATION {NAME} (COPY = french)")
        cursor.execute(
            f"ALTER TEXT SEARCH CONFIGURATION {NAME} ALTER MAPPING"
            " FOR hword, hword_part, word WITH unaccent, french_stem"
        )


class Migration(migrations.Migration):
    dependencies = [("content", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
