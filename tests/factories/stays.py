"""Stays and keys for tests. NOW is a Tuesday morning; the place is open Tuesday to Saturday."""

import base64
from datetime import date
from io import BytesIO
from typing import Any

import factory
from django.core.files.base import ContentFile
from factory.django import DjangoModelFactory
from PIL import Image, ImageDraw

from club.kernel.spans import end_of, start_of
from club.kernel.transitions import log
from concierge import models
from concierge.enums import KeyReason, ServiceKind, ServiceUnit, StayStatus, StayTask
from concierge.queries.slots import LANES
from tests.factories.club import NOW, MemberFactory
from tests.factories.services import ServiceFactory

TASKS = [StayTask.LOOK.value, StayTask.POST.value, StayTask.PLANTS.value]
FIRST, LAST = date(2027, 3, 16), date(2027, 3, 25)
"""Ten days from a Tuesday on."""


class StayServiceFactory(ServiceFactory):
    """House-watching: one home at a time, three euros a day, a visit every two days."""

    name = "Garde de la maison"
    about = "Nous passons chez vous pendant votre absence."
    kind = ServiceKind.STAY
    unit_cents = 300
    unit = ServiceUnit.DAY
    tasks = factory.LazyFunction(lambda: list(TASKS))
    horizon_days = 90


class StayFactory(DjangoModelFactory):
    """Next Tuesday for ten days, made without the verb: for reading tests."""

    class Meta:
        model = models.Stay
        skip_postgeneration_save = True
        exclude = ("first", "last")

    first = FIRST
    last = LAST
    service = factory.SubFactory(StayServiceFactory)
    member = factory.SubFactory(MemberFactory, place=factory.SelfAttribute("..service.place"))
    place = factory.SelfAttribute("service.place")
    starts_at = factory.LazyAttribute(lambda one: start_of(one.first))
    ends_at = factory.LazyAttribute(lambda one: end_of(one.last))
    lane = factory.LazyAttribute(lambda one: one.service.pk * LANES)
    tasks = factory.LazyFunction(lambda: list(TASKS))
    unit_cents = factory.SelfAttribute("service.unit_cents")
    quantity = factory.LazyAttribute(lambda one: (one.last - one.first).days + 1)
    created_at = NOW

    @factory.post_generation
    def told(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        log(self, "book", by=None, now=NOW, facts={"to": self.status})


class RunningStayFactory(StayFactory):
    """Since Saturday, with a visit today."""

    first = date(2027, 3, 6)
    last = date(2027, 3, 20)
    status = StayStatus.RUNNING
    running_at = NOW

    @factory.post_generation
    def visits_on(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        for day in extracted if extracted is not None else (NOW.date(), date(2027, 3, 11)):
            models.StayVisit.objects.create(stay=self, day=day)


class KeySetFactory(DjangoModelFactory):
    class Meta:
        model = models.KeySet
        skip_postgeneration_save = True

    member = factory.SubFactory(MemberFactory)
    place = factory.SelfAttribute("member.place")
    reason = KeyReason.SPARE
    hook = factory.Sequence(lambda n: n % 900 + 1)
    received_at = NOW
    received_on_paper = True

    @factory.post_generation
    def told(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        log(self, "receive", by=None, now=NOW, facts={"to": self.status})


def drawn(*, blank: bool = False) -> str:
    """A signature as the page posts it."""
    image = Image.new("RGB", (300, 120), "white")
    if not blank:
        ImageDraw.Draw(image).line([(20, 90), (120, 30), (260, 80)], fill="black", width=4)
    out = BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def photo(name: str = "visite.jpg", *, exif: bool = True) -> ContentFile:
    """A photo of a phone, with where it was taken."""
    image = Image.new("RGB", (64, 48), "green")
    out = BytesIO()
    data = Image.Exif()
    if exif:
        data[0x010F] = "Téléphone"
        data[0x8825] = {1: "N", 2: (49.0, 54.0, 0.0)}
    image.save(out, "JPEG", exif=data)
    return ContentFile(out.getvalue(), name=name)
