"""The programme of the demonstration town, told through the verbs from eight weeks ago on.

Dates follow the present: past sessions have been attended, the next ones have places, one
is full with people waiting, and what was freed there is offered to the first it suits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from club.domain.receipts import take_payment
from club.enums import Activity, Means
from club.kernel.bookings import Channel
from club.kernel.purchases import due_of
from club.kernel.spans import local_day
from club.models import Member, Place, User
from events.domain.checkin import check_in, mark_absent, walk_in
from events.domain.fees import KIND
from events.domain.registrations import NOBODY_NAMED, Company, Person, cancel, register
from events.domain.schedules import make_sessions
from events.enums import AnswerKind, Audience, Entry, Frequency, Holidays, Theme
from events.models import (
    EventIndex,
    EventPage,
    EventPolicy,
    Question,
    Registration,
    Schedule,
    Session,
)

WEEKS_TOLD = 8
"""How long ago the programme began."""
WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = 2, 3, 4, 5
COURTYARD = "dans la cour"
NBSP = "\u00a0"


@dataclass(frozen=True)
class Written:
    """An event as its editor wrote it, and when it takes place."""

    title: str
    lead: str
    theme: str
    drawing: str
    starts: time
    ends: time
    weekday: int
    text: str
    room: str = ""
    frequency: str = Frequency.ONCE
    holidays: str = Holidays.ANY
    days_ahead: int = 0
    """Of an event that takes place once: its day is the next such weekday after these."""
    to_june: bool = False
    terms: dict[str, Any] = field(default_factory=dict)
    choice: tuple[str, tuple[str, ...]] | None = None
    """A question to all who register, and the answers to choose from."""


HOMEWORK, GYM, COOKING, TEA = "homework", "gym", "cooking", "tea"
SEWING, SEEDS, FIRST_AID, INSURANCE, SEA = "sewing", "seeds", "first_aid", "insurance", "sea"

PROGRAMME: dict[str, Written] = {
    HOMEWORK: Written(
        "Aide aux devoirs", "Du CP à la troisième.", Theme.LEARN, "tiles/devoirs",
        time(14), time(16), WEDNESDAY,
        "Des voisins aident les enfants à faire leurs devoirs. Chacun vient avec son cartable.",
        frequency=Frequency.WEEKLY, holidays=Holidays.SKIP,
        terms={
            "capacity": 10, "age_min": 6, "age_max": 15, "audience": Audience.CHILDREN,
            "asks_ages": True, "step_free": True, "bring": "Apportez le cartable.",
            "organiser": "Nadia et les voisins",
        },
    ),
    GYM: Written(
        "Gym douce sur chaise", "Avec Corinne. Venez comme vous êtes.", Theme.MOVE, "tiles/gym",
        time(10), time(11), THURSDAY,
        "On bouge doucement, assis ou debout, à son rythme. Des chaises sont sur place.",
        room="salle Balzac", frequency=Frequency.WEEKLY,
        terms={
            "capacity": 12, "audience": Audience.ADULTS, "step_free": True,
            "for_understanding": True, "partner": "Corinne, de l’association Bouge",
        },
    ),
    COOKING: Written(
        "Atelier cuisine", "On cuisine ensemble, puis on goûte. Les enfants sont bienvenus.",
        Theme.COOK, "tools/marmite", time(18), time(20), THURSDAY,
        "Une recette simple, de saison, avec ce que l’on trouve au marché du quartier.",
        frequency=Frequency.FORTNIGHTLY, holidays=Holidays.SKIP, to_june=True,
        terms={
            "capacity": 12, "price_cents": 300, "audience": Audience.FAMILIES, "step_free": True,
            "asks_ages": True, "household_limit": 6,
            "bring": "Apportez un tablier et une boîte.", "organiser": "Nadia",
        },
    ),
    TEA: Written(
        "Goûter des voisins", "Apportez un gâteau ou une envie.", Theme.PARTY, "tiles/evenements",
        time(15), time(17), SATURDAY,
        "On se retrouve autour d’un café. S’il pleut, c’est à l’intérieur.",
        room=COURTYARD, days_ahead=2,
        terms={"capacity": 40, "step_free": True, "bring": "Apportez une tasse."},
    ),
    SEWING: Written(
        f"Atelier couture{NBSP}: faire un ourlet", "Machines et tissu fournis.", Theme.MEND,
        "tools/machine-a-coudre", time(18), time(20), WEDNESDAY,
        "Venez avec un pantalon trop long. Vous repartez avec un pantalon à votre taille.",
        days_ahead=6,
        terms={
            "capacity": 6, "step_free": True, "audience": Audience.ADULTS, "household_limit": 2,
            "bring": "Apportez un vêtement à raccourcir.",
        },
    ),
    SEEDS: Written(
        "Semis pour les balcons", "Repartez avec trois plantes.", Theme.GROW,
        "tiles/jardiner-pot", time(10), time(12), SATURDAY,
        "Basilic, salade, tomates cerises. La terre et les pots sont fournis.",
        room=COURTYARD, days_ahead=9,
        terms={"capacity": 12, "step_free": True, "audience": Audience.ALL},
    ),
    FIRST_AID: Written(
        "Formation aux premiers secours", "Une matinée pour apprendre à aider.", Theme.LEARN,
        "tiles/secours", time(9), time(12, 30), SATURDAY,
        "Alerter, masser, utiliser un défibrillateur. Une attestation de présence est remise.",
        room="salle Balzac", days_ahead=16,
        terms={
            "capacity": 10, "age_min": 16, "audience": Audience.ADULTS, "is_training": True,
            "asks_names": True, "needs_approval": True, "partner": "les pompiers du secteur",
        },
    ),
    INSURANCE: Written(
        "Bien assurer son logement", "Ce que dit la loi, ce que couvre un contrat.", Theme.MANAGE,
        "tiles/parapluie", time(17, 30), time(18, 30), FRIDAY,
        "Une réunion pour poser ses questions. Vous restez libre de choisir votre assureur.",
        days_ahead=11,
        terms={"entry": Entry.FREE, "step_free": True, "audience": Audience.ADULTS},
    ),
    SEA: Written(
        "Sortie à la mer", f"Une journée au Crotoy, en car. Départ à 8{NBSP}h.", Theme.OUT,
        "tiles/mer", time(8), time(19), SATURDAY,
        "On marche sur la plage, on pique-nique, on rentre avant la nuit.",
        days_ahead=25,
        terms={
            "capacity": 45, "price_cents": 800, "member_price_cents": 500, "household_limit": 6,
            "audience": Audience.FAMILIES, "cancel_hours": 72,
            "bring": "Apportez un pique-nique et un coupe-vent.",
        },
        choice=("Où montez-vous dans le car ?", ("À la conciergerie", "Place du Pays")),
    ),
}  # fmt: skip
CAFE = Written(
    "Café du vendredi", "Un café, des nouvelles du quartier.", Theme.MEET, "tools/percolateur",
    time(15), time(16, 30), FRIDAY, "On entre, on s’assoit, on parle ou l’on écoute.",
    frequency=Frequency.WEEKLY,
    terms={"entry": Entry.FREE, "step_free": True},
)  # fmt: skip


def load_events(tilleuls: Place, pigeonnier: Place, desk: User, now: datetime, rng: Random) -> None:
    """The programme of both places, and who came, comes and waits."""
    for place in (tilleuls, pigeonnier):
        EventPolicy.objects.create(place=place)
    written = {
        name: publish(text, tilleuls, desk, now, rank)
        for rank, (name, text) in enumerate(PROGRAMME.items())
    }
    publish(CAFE, pigeonnier, desk, now, 0)
    club = Club(tilleuls, desk, now, rng)
    club.attended(written[GYM], 6, walk_ins=("Josiane", "Karim"))
    club.attended(written[HOMEWORK], 5)
    club.attended(written[COOKING], 3)
    club.registered(written[HOMEWORK], (1, 2, 1))
    club.registered(written[GYM], (1, 1, 2, 1, 1, 1, 2))
    club.registered(written[COOKING], (2, 1, 1))
    club.registered(written[TEA], (2, 3, 1, 4))
    club.a_full_session(written[SEWING])
    club.to_be_approved(written[FIRST_AID])
    club.to_the_sea(written[SEA])
    club.the_named(written[COOKING], written[TEA])


# -- Pages -----------------------------------------------------------------------------------


def publish(text: Written, place: Place, desk: User, now: datetime, rank: int) -> EventPage:
    """The page, and its sessions from eight weeks ago on."""
    since = now - timedelta(weeks=WEEKS_TOLD, minutes=-rank)
    event = EventPage(
        title=text.title,
        lead=text.lead,
        theme=text.theme,
        drawing=text.drawing,
        body=[("paragraph", f"<p>{text.text}</p>")],
        search_description=text.lead,
        live=True,
        first_published_at=since,
        last_published_at=since,
        **text.terms,
    )
    event.schedules.add(schedule_of(text, now))
    if text.choice:
        asked, options = text.choice
        event.questions.add(
            Question(text=asked, kind=AnswerKind.CHOICE, choices="\n".join(options))
        )
    index_of(place).add_child(instance=event)
    make_sessions(event, by=desk, now=since)
    return event


def index_of(place: Place) -> EventIndex:
    return EventIndex.objects.get(place=place)


def schedule_of(text: Written, now: datetime) -> Schedule:
    today = local_day(now)
    first = today + timedelta(days=text.days_ahead)
    if text.frequency != Frequency.ONCE:
        first = today - timedelta(weeks=WEEKS_TOLD)
    first += timedelta(days=(text.weekday - first.weekday()) % 7)
    return Schedule(
        starts_on=first,
        starts=text.starts,
        ends=text.ends,
        frequency=text.frequency,
        holidays=text.holidays,
        room=text.room,
        until=end_of_june(today) if text.to_june else None,
    )


def end_of_june(today: date) -> date:
    """Of this school year; in the last weeks before summer, of the next."""
    return date(today.year + (today.month >= 6), 6, 30)


# -- People -----------------------------------------------------------------------------------


class Club:
    """Those of one place who come to its events."""

    def __init__(self, place: Place, desk: User, now: datetime, rng: Random) -> None:
        self.place, self.desk, self.now, self.rng = place, desk, now, rng
        subscribers = (
            Member.objects.filter(
                place=place,
                household__rights__activity=Activity.EVENTS,
                household__rights__ends_on__gte=local_day(now) + timedelta(days=35),
                joined_at__lt=now - timedelta(weeks=WEEKS_TOLD + 1),
            )
            .exclude(user__email__in=["", "leila@demo.example", "rose@demo.example"])
            .select_related("user", "household", "place")
            .order_by("-pk")
        )
        self.members = list({one.household_id: one for one in subscribers}.values())
        rng.shuffle(self.members)
        self.turn = 0

    def following(self) -> Iterator[Member]:
        """Of each household the first, one after the other; the next call goes on from there."""
        while True:
            self.turn += 1
            yield self.members[self.turn % len(self.members)]

    def register(
        self,
        member: Member,
        session: Session,
        quantity: int,
        at: datetime,
        *,
        company: Company = NOBODY_NAMED,
        **more: Any,
    ) -> Registration:
        channel = self.rng.choice([Channel.WEB, Channel.WEB, Channel.DESK])
        return register(
            member=member,
            session=session,
            quantity=quantity,
            by=member.user if channel == Channel.WEB else self.desk,
            now=at,
            channel=channel,
            company=company,
            **more,
        )

    def registered(
        self, event: EventPage, quantities: Sequence[int], session: Session | None = None
    ) -> list[Registration]:
        """Some households at a session to come, the next unless said."""
        session = session or self.coming(event)
        members = self.following()
        return [
            self.register(
                next(members), session, quantity, self.now - timedelta(days=5, hours=-3 * rank)
            )
            for rank, quantity in enumerate(quantities)
        ]

    def coming(self, event: EventPage, days: int = 0) -> Session:
        """The next session that begins late enough for all that is told of it."""
        soon = self.now + timedelta(hours=6, days=days)
        return event.sessions.filter(starts_at__gt=soon).order_by("starts_at")[:1].get()

    def attended(self, event: EventPage, count: int, walk_ins: Sequence[str] = ()) -> None:
        """The last sessions: who had registered came, but for one; some came as they were."""
        over = event.sessions.filter(ends_at__lt=self.now).order_by("-starts_at")[:count]
        members = self.following()
        for rank, session in enumerate(reversed(over)):
            early = max(
                session.starts_at - timedelta(days=4), self.now - timedelta(weeks=WEEKS_TOLD - 0.1)
            )
            made = [
                self.register(next(members), session, quantity, early + timedelta(hours=number))
                for number, quantity in enumerate((1, 2, 1, 1, 2, 1)[: 4 + rank % 3])
            ]
            late = session.starts_at + timedelta(minutes=20)
            for number, one in enumerate(made[1:] if rank % 2 else made):
                came_at = session.starts_at - timedelta(minutes=12 - 2 * number)
                check_in(
                    session, one, scan=f"demo-{one.reference}", at=came_at, by=self.desk,
                    now=came_at, quantity=1 if one.quantity == 2 and rank == 1 else None,
                )  # fmt: skip
            for first_name in walk_ins[: rank % (len(walk_ins) + 1)]:
                walk_in(
                    session, first_name, 1, scan=f"demo-{session.pk}-{first_name}",
                    at=session.starts_at, by=self.desk, now=session.starts_at,
                )  # fmt: skip
            mark_absent(session, by=self.desk, now=late)

    def a_full_session(self, event: EventPage) -> None:
        """Six places taken, three households wait; one place came back, and is offered to
        the first whom one place suits."""
        session = self.coming(event)
        made = self.registered(event, (2, 1, 2, 1), session)
        members = self.following()
        for rank, quantity in enumerate((2, 1, 2)):
            asked_at = self.now - timedelta(days=2, hours=-5 * rank)
            self.register(next(members), session, quantity, asked_at, waits=True)
        gone = made[1]
        cancel(gone, by=gone.member.user, now=self.now - timedelta(hours=2))

    def to_be_approved(self, event: EventPage) -> None:
        """Asked for, with names; the desk has still to say yes or no."""
        session = self.coming(event)
        members = self.following()
        for hours in (30, 7):
            member = next(members)
            person = Person(f"{member.first_name} {member.last_name}")
            self.register(
                member, session, 1, self.now - timedelta(hours=hours), company=Company([person])
            )

    def to_the_sea(self, event: EventPage) -> None:
        """Four households; three have paid at the desk a moment ago."""
        session = self.coming(event)
        question = event.questions.get()
        members = self.following()
        for rank, quantity in enumerate((2, 4, 1, 3)):
            member = next(members)
            answers = {question.pk: question.options[rank % 2]}
            made = self.register(
                member, session, quantity, self.now - timedelta(hours=40 - 6 * rank),
                company=Company(answers=answers),
            )  # fmt: skip
            if rank == 2:
                continue
            paid_at = self.now - timedelta(minutes=25 - 5 * rank)
            due = [one for one in due_of(member.household, paid_at) if one.subject_id == made.pk]
            take_payment(
                member=member, place=self.place, means=Means.CHEQUE, by=self.desk, now=paid_at,
                lines=[one for one in due if one.kind == KIND],
            )  # fmt: skip

    def the_named(self, cooking: EventPage, tea: EventPage) -> None:
        """Leïla comes with her two children; Marc has a place to pay."""
        members = Member.objects.select_related("user", "household", "place")
        leila = members.get(user__email="leila@demo.example")
        marc = members.get(user__email="marc@demo.example")
        family = Company([Person("Leïla"), Person("Inès", 9), Person("Adam", 6)])
        register(
            member=leila, session=self.coming(tea), quantity=3, by=leila.user,
            now=self.now - timedelta(days=1), company=family,
        )  # fmt: skip
        register(
            member=leila, session=self.coming(cooking, days=7), quantity=3, by=leila.user,
            now=self.now - timedelta(hours=20), company=family,
        )  # fmt: skip
        register(
            member=marc, session=self.coming(cooking, days=2), quantity=1, by=marc.user,
            now=self.now - timedelta(hours=3),
        )  # fmt: skip
