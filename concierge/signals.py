from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from club.signals import restamp
from concierge.models import LendingPolicy


@receiver([post_save, post_delete], sender=LendingPolicy)
def policy_changed(instance: LendingPolicy, **kwargs: Any) -> None:
    restamp(pk=instance.place_id)
