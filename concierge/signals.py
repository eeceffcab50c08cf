from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from club.signals import restamp
from concierge.models import LendingPolicy, ServiceHours, ServicePause, ServiceQuestion


@receiver([post_save, post_delete], sender=LendingPolicy)
def policy_changed(instance: LendingPolicy, **kwargs: Any) -> None:
    restamp(pk=instance.place_id)


@receiver([post_save, post_delete], sender=ServiceHours)
@receiver([post_save, post_delete], sender=ServicePause)
@receiver([post_save, post_delete], sender=ServiceQuestion)
def service_changed(instance: Any, **kwargs: Any) -> None:
    restamp(services=instance.service_id)
