"""Saving a place's hours changes its stamp, and with it every memo of its rules."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from club.kernel import codes
from club.models import (
    Closure,
    ExceptionalHours,
    Landlord,
    OpeningHours,
    Place,
    SchoolHolidays,
    Season,
)


def restamp(**places: Any) -> None:
    """Tell every process that the rules of these places changed, once committed."""
    Place.objects.filter(**places).update(rules_stamp=codes.token())


@receiver([post_save, post_delete], sender=OpeningHours)
@receiver([post_save, post_delete], sender=ExceptionalHours)
@receiver([post_save, post_delete], sender=Closure)
@receiver([post_save, post_delete], sender=Season)
def place_rules_changed(instance: Any, **kwargs: Any) -> None:
    restamp(pk=instance.place_id)


@receiver(post_save, sender=Place)
def place_changed(instance: Place, **kwargs: Any) -> None:
    restamp(pk=instance.pk)


@receiver([post_save, post_delete], sender=SchoolHolidays)
def school_holidays_changed(instance: SchoolHolidays, **kwargs: Any) -> None:
    restamp(landlord__school_zone=instance.zone)


@receiver(post_save, sender=Landlord)
def landlord_changed(instance: Landlord, **kwargs: Any) -> None:
    restamp(landlord=instance)
