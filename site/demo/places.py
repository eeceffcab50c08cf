"""The landlord and the two places of the demonstration town, with their hours."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from club.enums import ClosureReason, Period, SchoolZone
from club.kernel.spans import local_day
from club.models import (
    Closure,
    ExceptionalHours,
    Landlord,
    OpeningHours,
    Place,
    SchoolHolidays,
    Season,
)
from club.queries.calendar import calendar_of
from concierge.enums import ValueClass
from concierge.models import LendingPolicy

LANDLORD = "trois-rivieres"
TILLEULS = "tilleuls"
PIGEONNIER = "pigeonnier"

# The ministry's calendar for zone B: first and last day without school.
ZONE_B = (
    ("Toussaint", date(2026, 10, 17), date(2026, 11, 1)),
    ("Noël", date(2026, 12, 19), date(2027, 1, 3)),
    ("Hiver", date(2027, 2, 20), date(2027, 3, 7)),
    ("Printemps", date(2027, 4, 17), date(2027, 5, 2)),
    ("Pont de l’Ascension", date(2027, 5, 6), date(2027, 5, 8)),
    ("Été", date(2027, 7, 3), date(2027, 8, 31)),
    ("Toussaint", date(2027, 10, 23), date(2027, 11, 7)),
    ("Noël", date(2027, 12, 18), date(2028, 1, 2)),
    ("Hiver", date(2028, 2, 5), date(2028, 2, 20)),
    ("Printemps", date(2028, 4, 8), date(2028, 4, 23)),
    ("Été", date(2028, 7, 4), date(2028, 8, 31)),
)


@dataclass(frozen=True)
class Hours:
    weekdays: tuple[int, ...]
    opens: time
    closes: time
    period: str = Period.ALWAYS


MIDWEEK = (1, 2, 3, 4)
USUAL = (
    Hours(MIDWEEK, time(9), time(12)),
    Hours(MIDWEEK, time(14), time(18)),
    Hours((5,), time(9), time(13), Period.TERM),
    Hours((5,), time(9), time(12), Period.SCHOOL_HOLIDAYS),
)
SUMMER = (
    Hours(MIDWEEK, time(8, 30), time(12, 30)),
    Hours((1, 3), time(16), time(19)),
    Hours((5,), time(9), time(12)),
)
SMALL = (Hours((1, 3, 4), time(14), time(18)), Hours((5,), time(10), time(12)))


def make_landlord() -> Landlord:
    landlord = Landlord.objects.create(
        name="Habitat des Trois Rivières", slug=LANDLORD, school_zone=SchoolZone.B
    )
    for name, first, last in ZONE_B:
        SchoolHolidays.objects.get_or_create(
            zone=SchoolZone.B, starts_on=first, defaults={"name": name, "ends_on": last}
        )
    return landlord


def make_places(landlord: Landlord, now: datetime) -> tuple[Place, Place]:
    """The main place with every kind of hours, and a small one."""
    tilleuls = Place.objects.create(
        landlord=landlord, slug=TILLEULS, name="Conciergerie des Tilleuls",
        district="Amiens-Nord", address="7, allée des Tilleuls", address_hint="rez-de-chaussée",
        postcode="80080", city="Amiens", phone="03 53 01 24 60", email="tilleuls@demo.example",
    )  # fmt: skip
    pigeonnier = Place.objects.create(
        landlord=landlord, slug=PIGEONNIER, name="Conciergerie du Pigeonnier",
        district="Amiens-Nord", address="6, rue du Colombier", address_hint="hall B",
        postcode="80080", city="Amiens", phone="03 53 01 24 61", email="pigeonnier@demo.example",
    )  # fmt: skip
    open_on(tilleuls, USUAL)
    summer = Season.objects.create(place=tilleuls, name="Été", first_day="01/07", last_day="31/08")
    open_on(tilleuls, SUMMER, summer)
    open_on(pigeonnier, SMALL)
    close_ahead(tilleuls, local_day(now))
    for place in (tilleuls, pigeonnier):
        LendingPolicy.objects.create(place=place)
        LendingPolicy.objects.create(place=place, value_class=ValueClass.VALUABLE, limit=1)
        place.refresh_from_db()
    return tilleuls, pigeonnier


def open_on(place: Place, lines: tuple[Hours, ...], season: Season | None = None) -> None:
    for line in lines:
        for weekday in line.weekdays:
            OpeningHours.objects.create(
                place=place, weekday=weekday, opens=line.opens, closes=line.closes,
                period=line.period, season=season,
            )  # fmt: skip


def close_ahead(place: Place, today: date) -> None:
    """A day of training in three weeks, and one late evening before it."""
    place.refresh_from_db()
    calendar = calendar_of(place)
    training = calendar.next_open_day(today + timedelta(days=21))
    evening = calendar.next_open_day(today + timedelta(days=12))
    if training is not None:
        Closure.objects.create(
            place=place, starts_on=training, ends_on=training, reason=ClosureReason.TRAINING
        )
    if evening is not None:
        for opens, closes in ((time(9), time(12)), (time(14), time(20))):
            ExceptionalHours.objects.create(place=place, day=evening, opens=opens, closes=closes)
