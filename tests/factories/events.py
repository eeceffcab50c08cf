"""Events for tests. NOW is a Tuesday morning; sessions are a week later unless said."""

from datetime import datetime, timedelta
from typing import Any

import factory
from django.db.models import F
from factory.django import DjangoModelFactory
from wagtail.models import Page

from club.models import Place
from cms.setup import root_page
from events import models
from events.domain.schedules import logged_as_added
from events.enums import RegistrationStatus
from tests.factories.club import NOW, MemberFactory, PlaceFactory


def index_for(place: Place) -> models.EventIndex:
    """The programme of a place, directly under the root: no site is needed to test rules."""
    found = models.EventIndex.objects.filter(place=place).first()
    if found is not None:
        return found
    root: Page = root_page()
    index = models.EventIndex(title="Événements", slug=f"evenements-{place.slug}", place=place)
    root.add_child(instance=index)
    return index


def make_event(place: Place, **fields: Any) -> models.EventPage:
    """A live event in the programme of a place."""
    fields.setdefault("title", "Atelier cuisine")
    event = models.EventPage(live=True, **fields)
    index_for(place).add_child(instance=event)
    return event


class SessionFactory(DjangoModelFactory):
    """Twelve places, free, a week after `NOW`, for two hours."""

    class Meta:
        model = models.Session
        skip_postgeneration_save = True

    class Params:
        in_days = 7

    place = factory.SubFactory(PlaceFactory)
    event = factory.LazyAttribute(lambda session: make_event(session.place))
    capacity = 12
    starts_at = factory.LazyAttribute(lambda session: NOW + timedelta(days=session.in_days))
    ends_at = factory.LazyAttribute(lambda session: session.starts_at + timedelta(hours=2))
    closes_at = factory.LazyAttribute(lambda session: session.starts_at - timedelta(hours=1))
    changed_at = NOW

    @factory.post_generation
    def logged(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            logged_as_added(self, by=None, now=NOW)


class RegistrationFactory(DjangoModelFactory):
    """A registration made without the verb: for reading tests. It counts its places."""

    class Meta:
        model = models.Registration
        skip_postgeneration_save = True

    session = factory.SubFactory(SessionFactory)
    place = factory.SelfAttribute("session.place")
    member = factory.LazyAttribute(lambda one: MemberFactory(place=one.session.place))
    starts_at = factory.SelfAttribute("session.starts_at")
    ends_at = factory.SelfAttribute("session.ends_at")
    quantity = 1
    wanted = factory.SelfAttribute("quantity")
    status = RegistrationStatus.CONFIRMED
    created_at = NOW

    @factory.post_generation
    def counted(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and self.holds:
            models.Session.objects.filter(pk=self.session_id).update(
                booked=F("booked") + self.quantity
            )
            self.session.refresh_from_db()


def hours_before(session: models.Session, hours: float) -> datetime:
    return session.starts_at - timedelta(hours=hours)
