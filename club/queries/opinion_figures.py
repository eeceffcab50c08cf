"""How it went by month, place and kind: counts alone, and none of a handful of people.

A question counts in the month in which it was asked. Kinds of which fewer than five people
answered in a month stand together as one line of that place; where even together they are
fewer, what they said is not told at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from club.enums import Face, OpinionReason
from club.kernel import opinions
from club.kernel.spans import end_of, local_day, start_of
from club.models import Opinion, Place

FEW = 5
OTHERS = ""
"""The kind of the line in which small numbers stand together."""


@dataclass
class Line:
    """What one month of one kind at one place came to."""

    month: date
    """Its first day."""
    place: Place
    kind: str
    asked: int = 0
    faces: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        return sum(self.faces.values())

    @property
    def has_few(self) -> bool:
        return self.answered < FEW

    @property
    def title(self) -> str:
        if self.kind == OTHERS:
            return _("Le reste, ensemble")
        source = opinions.source(self.kind)
        return str(source.title) if source else self.kind

    @property
    def told_faces(self) -> list[tuple[str, int, int]]:
        """Each face with its number and its share in per cent."""
        if self.has_few:
            return []
        return [
            (str(capfirst(face.label)), number, round(100 * number / self.answered))
            for face in Face
            for number in [self.faces.get(face, 0)]
        ]

    @property
    def told_reasons(self) -> list[tuple[str, int]]:
        if self.has_few:
            return []
        told = [(str(one.label), self.reasons.get(one, 0)) for one in OpinionReason]
        return [(label, number) for label, number in told if number]

    def add(self, other: "Line") -> None:
        self.asked += other.asked
        for mine, theirs in ((self.faces, other.faces), (self.reasons, other.reasons)):
            for name, number in theirs.items():
                mine[name] = mine.get(name, 0) + number


def by_month(places: Iterable[Place], first: date, last: date) -> list[Line]:
    """One statement, however many questions there were."""
    known = {place.pk: place for place in places}
    rows = Opinion.objects.filter(
        place__in=known, asked_at__gte=start_of(first), asked_at__lt=end_of(last)
    )
    grouped = rows.annotate(month=TruncMonth("asked_at")).order_by()
    found: dict[tuple[date, int, str], Line] = {}
    for row in grouped.values("month", "place", "kind", "face", "reason").annotate(n=Count("pk")):
        month = local_day(row["month"])
        key = (month, row["place"], row["kind"])
        line = found.setdefault(key, Line(month, known[row["place"]], row["kind"]))
        line.asked += row["n"]
        for name, numbers in ((row["face"], line.faces), (row["reason"], line.reasons)):
            if name:
                numbers[name] = numbers.get(name, 0) + row["n"]
    return sorted(
        together(found.values()),
        key=lambda line: (line.month, line.place.name, line.kind == OTHERS, line.title),
    )


def together(lines: Iterable[Line]) -> list[Line]:
    """The small ones of a month and a place as one line."""
    told: list[Line] = []
    small: dict[tuple[date, int], Line] = {}
    for line in lines:
        if not line.has_few:
            told.append(line)
            continue
        key = (line.month, line.place.pk)
        small.setdefault(key, Line(line.month, line.place, OTHERS)).add(line)
    return [*told, *small.values()]
