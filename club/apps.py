from io import StringIO
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.management import call_command
from django.db.models.signals import post_migrate


def make_cache_table(**kwargs: Any) -> None:
    """The database cache needs its table; making it here leaves no step to forget."""
    if settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache"):
        call_command("createcachetable", verbosity=0, stdout=StringIO())


class ClubConfig(AppConfig):
    name = "club"
    verbose_name = "Club"

    def ready(self) -> None:
        from club import (
            signals,  # noqa: F401
            tasks,
            worker,
        )
        from club.domain import invariants

        tasks.register()
        invariants.register()
        worker.connect()
        post_migrate.connect(make_cache_table, sender=self)
