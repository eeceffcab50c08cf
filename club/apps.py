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


def install_guards(using: str, **kwargs: Any) -> None:
    from club.kernel import guards

    guards.install(using)


class ClubConfig(AppConfig):
    name = "club"
    verbose_name = "Club"

    def ready(self) -> None:
        from club import (
            account_letters,
            guards,
            opinion_letters,
            receipt_letters,
            signals,  # noqa: F401
            tasks,
            worker,
        )
        from club.domain import (
            housekeeping,
            invariants,
            money_invariants,
            opinion_invariants,
            opinion_personal,
            personal,
        )

        tasks.register()
        invariants.register()
        money_invariants.register()
        personal.register()
        housekeeping.register()
        opinion_invariants.register()
        opinion_personal.register()
        opinion_letters.register()
        account_letters.register()
        worker.connect()
        guards.register()
        receipt_letters.register()
        post_migrate.connect(make_cache_table, sender=self)
        post_migrate.connect(install_guards, sender=self)
