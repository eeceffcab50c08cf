from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def sync_groups(**kwargs: Any) -> None:
    from cms.permissions import sync

    sync()


class CmsConfig(AppConfig):
    name = "cms"
    verbose_name = "Pages"

    def ready(self) -> None:
        from cms import (
            personal,
            signals,  # noqa: F401
        )

        personal.register()
        post_migrate.connect(sync_groups, sender=self)
