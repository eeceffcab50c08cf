"""Questions about how it went, made without the verb: for reading tests."""

from datetime import datetime

import factory
from factory.django import DjangoModelFactory

from club import models
from club.enums import Face
from tests.factories.club import NOW, MemberFactory, PlaceFactory


class OpinionFactory(DjangoModelFactory):
    """Asked now about a loan, not answered; of nobody's real loan."""

    class Meta:
        model = models.Opinion

    member = factory.SubFactory(MemberFactory)
    place = factory.LazyAttribute(lambda one: one.member.place if one.member else PlaceFactory())
    kind = "loan"
    subject_id = factory.Sequence(lambda n: 900_000 + n)
    label = "Gaufrier"
    asked_at = NOW
    face = ""
    answered_at = factory.LazyAttribute(lambda one: one.asked_at if one.face else None)


def unhappy(**fields: object) -> models.Opinion:
    fields.setdefault("face", Face.UNHAPPY)
    return OpinionFactory(**fields)


def counts(number: int, face: str, at: datetime, **fields: object) -> None:
    """So many answers of one face, of people who are nobody any more."""
    OpinionFactory.create_batch(number, member=None, face=face, asked_at=at, **fields)
