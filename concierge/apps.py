from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def install_guards(using: str, **kwargs: Any) -> None:
    from concierge import guards

    guards.install(using)


class ConciergeConfig(AppConfig):
    name = "concierge"
    verbose_name = "Conciergerie"

    def ready(self) -> None:
        from club.kernel import bookings
        from concierge import (
            emails,
            signals,  # noqa: F401
            tasks,
        )
        from concierge.domain import invariants
        from concierge.kinds import LOAN

        emails.register()
        tasks.register()
        invariants.register()
        bookings.register(LOAN)
        post_migrate.connect(install_guards, sender=self)
