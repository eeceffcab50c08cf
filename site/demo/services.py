"""What the concierge does for people: the services of both places, a few appointments."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from club.domain.receipts import take_payment
from club.domain.till import close_till_day, expected_cash, open_till_day
from club.enums import Activity, Means
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import Member, Place, User
from club.queries.calendar import calendar_of
from concierge.domain.appointment_fees import COUNTER as USES
from concierge.domain.appointment_fees import KIND
from concierge.domain.appointments import (
    book_series,
    book_slot,
    cancel_appointment,
    mark_absent,
    mark_done,
)
from concierge.domain.counter import count_use
from concierge.domain.slot_wishes import wish
from concierge.enums import ServiceKind, ServiceUnit
from concierge.models import Appointment, Service, ServiceHours, ServiceQuestion
from concierge.queries.slots import Slot, diary_ahead, diary_of
from demo.money import FLOAT

WEEKS_TOLD = 6
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = 1, 2, 3, 4


@dataclass(frozen=True)
class Kind:
    """A service as it is told, with its rules where they are not the usual ones."""

    name: str
    about: str
    picture: str
    wall: str
    rules: dict[str, object] = field(default_factory=dict)
    hours: tuple[tuple[int, time, time], ...] = ()
    question: tuple[str, str] | None = None


BY_SLOT = (
    Kind(
        "Aide aux papiers",
        "Nous lisons et remplissons vos papiers avec vous, sur place ou en ligne.",
        "tiles/service", "water", {"minutes": 30, "seats": 1, "horizon_days": 42},
        (
            (TUESDAY, time(9), time(12)),
            (WEDNESDAY, time(14), time(17)),
            (THURSDAY, time(9), time(12)),
        ),
        (
            "Pour quels papiers ?",
            "CAF\nImpôts\nRetraite\nTitre de séjour\nLogement\nAutre chose",
        ),
    ),
    Kind(
        "Imprimer et numériser",
        "Un ordinateur, une imprimante et un scanner, avec nous à côté.",
        "tiles/carte", "butter",
        {"minutes": 30, "seats": 2, "unit_cents": 10, "unit": ServiceUnit.PAGE},
    ),
    Kind(
        "Réparer son vélo",
        "Nos outils, un pied d’atelier et un coup de main. Apportez les pièces.",
        "pied-velo", "linden", {"minutes": 60, "buffer_minutes": 15, "seats": 1},
        ((WEDNESDAY, time(14), time(18)), (FRIDAY, time(14), time(18))),
        ("Qu’est-ce qui ne va pas ?", "Pneu crevé\nFreins\nVitesses\nJe ne sais pas"),
    ),
    Kind(
        "Une heure de machine à coudre",
        "La machine et le fil sont là. Apportez votre tissu.",
        "machine-a-coudre", "rose",
        {"minutes": 60, "seats": 2, "unit_cents": 1_00, "unit": ServiceUnit.HOUR},
        ((TUESDAY, time(14), time(18)), (THURSDAY, time(14), time(18))),
    ),
)  # fmt: skip
COUNTER = (
    Kind(
        "Photocopies", "Noir et blanc, A4.", "tiles/carte", "clay",
        {"unit_cents": 10, "unit": ServiceUnit.PAGE, "needs_right": False},
    ),
    Kind(
        "Code Wi-Fi", "Un code pour la journée, sur votre téléphone ou votre ordinateur.",
        "tiles/service", "honey", {"needs_right": False},
    ),
)  # fmt: skip


def make_services(place: Place, kinds: tuple[Kind, ...], kind: str) -> list[Service]:
    made = []
    for position, one in enumerate(kinds):
        service = Service.objects.create(
            place=place, name=one.name, about=one.about, picture=one.picture, wall=one.wall,
            kind=kind, position=position, **one.rules,
        )  # fmt: skip
        for weekday, opens, closes in one.hours:
            ServiceHours.objects.create(
                service=service, weekday=weekday, opens=opens, closes=closes
            )
        if one.question is not None:
            text, choices = one.question
            ServiceQuestion.objects.create(service=service, text=text, choices=choices)
        made.append(service)
    place.refresh_from_db()
    return made


class Regulars:
    """Those of one place who come for its services."""

    def __init__(self, place: Place, desk: User, now: datetime, rng: Random) -> None:
        self.place, self.desk, self.now, self.rng = place, desk, now, rng
        self.members = list(
            Member.objects.filter(
                place=place,
                household__rights__activity=Activity.SERVICES,
                household__rights__ends_on__gte=local_day(now) + timedelta(days=35),
                joined_at__lt=now - timedelta(weeks=WEEKS_TOLD + 1),
            )
            .exclude(user__email__in=["leila@demo.example", "rose@demo.example"])
            .select_related("user", "household", "place")
            .order_by("pk")
            .distinct()
        )
        rng.shuffle(self.members)
        self.turn = 0

    def following(self) -> Member:
        self.turn += 1
        return self.members[self.turn % len(self.members)]

    def answers(self, service: Service) -> dict[int, str]:
        return {
            question.pk: self.rng.choice(question.options) for question in service.questions.all()
        }

    def book(self, service: Service, slot: Slot, member: Member, at: datetime) -> Appointment:
        return book_slot(
            member=member, service=service, starts_at=slot.starts_at, by=member.user, now=at,
            answers=self.answers(service),
        )  # fmt: skip

    def came(self, service: Service) -> None:
        """The weeks before: most came, some did not, a few gave up in time."""
        today = local_day(self.now)
        step = 12 if service.unit_cents else 5
        for back in range(WEEKS_TOLD * 7, 0, -step):
            day = today - timedelta(days=back)
            slots = diary_of(service, day).cut(day)
            for slot in self.rng.sample(slots, min(2, len(slots))):
                asked_at = slot.starts_at - timedelta(days=3)
                try:
                    one = self.book(service, slot, self.following(), asked_at)
                except Refused:
                    continue
                self.ended(one)

    def ended(self, one: Appointment) -> None:
        chance = self.rng.random()
        if chance < 0.1:
            cancel_appointment(one, by=one.member.user, now=one.starts_at - timedelta(days=1))
        elif chance < 0.2:
            mark_absent(one, by=self.desk, now=one.ends_at)
        else:
            is_counted = one.service.unit == ServiceUnit.PAGE
            pages = self.rng.randrange(2, 20) if is_counted else 1
            mark_done(one, pages, by=self.desk, now=one.ends_at - timedelta(minutes=5))
            if one.unit_cents:
                self.pays(one.member, one.ends_at)

    def pays(self, member: Member, now: datetime) -> None:
        """With coins of ten cents, in a till that is opened for them."""
        lines = [due for due in due_of(member.household, now) if due.kind in {KIND, USES}]
        till = open_till_day(self.place, 50_00, by=self.desk, now=now)
        take_payment(
            member=member, place=self.place, lines=lines, means=Means.CASH, by=self.desk, now=now
        )
        coins = (expected_cash(till) - 50_00) // 10
        close_till_day(till, FLOAT | {10: coins}, by=self.desk, now=now + timedelta(minutes=5))

    def coming(self, service: Service, count: int) -> None:
        """Some of the next slots are taken."""
        slots = [
            slot
            for slot in diary_ahead(service, self.now).bookable(self.now)
            if slot.starts_at > self.now + timedelta(hours=3)
        ]
        for slot in slots[: count * 2 : 2]:
            self.book(service, slot, self.following(), self.now - timedelta(hours=20))

    def a_full_week(self, service: Service) -> None:
        """All of the next days is taken, and two people wait."""
        diary = diary_ahead(service, self.now)
        slots = list(diary.bookable(self.now))
        days = sorted({slot.day for slot in slots})[:2]
        for slot in [slot for slot in slots if slot.day in days]:
            self.book(service, slot, self.following(), self.now - timedelta(days=1))
        for number in (1, 2):
            member = self.following()
            asked_at = self.now - timedelta(hours=6 - number)
            wish(member, service, days[0], days[-1], by=member.user, now=asked_at)

    def counted(self, service: Service) -> None:
        """Over the counter, on the last open days."""
        calendar = calendar_of(self.place)
        for back in range(WEEKS_TOLD * 7, 0, -4):
            day = local_day(self.now) - timedelta(days=back)
            if not calendar.is_open_day(day):
                continue
            member = self.following() if service.unit_cents else None
            quantity = self.rng.randrange(1, 12) if service.unit_cents else 1
            moment = at(day, time(10, 20))
            count_use(service, quantity, member=member, by=self.desk, now=moment)
            if member is not None:
                self.pays(member, moment)


def load_services(place: Place, other: Place, desk: User, now: datetime, rng: Random) -> None:
    papers, printing, bike, sewing = make_services(place, BY_SLOT, ServiceKind.SLOT)
    copies, code = make_services(place, COUNTER, ServiceKind.COUNTER)
    make_services(other, BY_SLOT[:1], ServiceKind.SLOT)
    regulars = Regulars(place, desk, now, rng)
    for service in (papers, printing, bike, sewing):
        regulars.came(service)
    for service, count in ((papers, 4), (printing, 3), (sewing, 2)):
        regulars.coming(service, count)
    regulars.a_full_week(bike)
    for service in (copies, code):
        regulars.counted(service)
    the_named(regulars, papers, sewing)


def the_named(regulars: Regulars, papers: Service, sewing: Service) -> None:
    """Leïla has help with her papers, and the sewing machine for three weeks."""
    now = regulars.now
    leila = Member.objects.select_related("user", "household", "place").get(
        user__email="leila@demo.example"
    )
    asked_at = now - timedelta(hours=30)
    later = now + timedelta(days=2)
    slot = next(one for one in diary_ahead(papers, now).bookable(now) if one.starts_at > later)
    regulars.book(papers, slot, leila, asked_at)
    slot = next(
        one
        for one in diary_ahead(sewing, now).bookable(now)
        if one.starts_at > later + timedelta(days=1)
    )
    book_series(
        member=leila, service=sewing, starts_at=slot.starts_at, weeks=3, by=leila.user,
        now=asked_at,
    )  # fmt: skip
