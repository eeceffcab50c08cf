"""Parcels of the last weeks at the main place: collected, sent back, waiting in each way."""

from datetime import date, datetime, time, timedelta
from random import Random

from club.enums import Activity
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import Member, Place, User
from club.queries.calendar import Calendar, calendar_of
from concierge.domain.parcels import hand_over_parcel, name_proxy, receive_parcel, send_back
from concierge.enums import ParcelSize
from concierge.models import Parcel, ParcelPolicy
from demo.accounts import DOMAIN

CAME = time(10, 40)
SHELVES = ("C1", "C2", "C3", "D1")


class Counter:
    """One place's parcels: barcodes that have the shape of their carrier's."""

    def __init__(self, place: Place, desk: User, now: datetime, rng: Random) -> None:
        self.place, self.desk, self.now, self.rng = place, desk, now, rng
        self.today = local_day(now)
        self.calendar: Calendar = calendar_of(place)
        self.number = 0

    def barcode(self) -> str:
        self.number += 1
        serial = self.rng.randrange(10**8)
        shapes = (
            "6A{0:03d}{1:08d}",
            "XY{0:01d}{1:08d}FR",
            "1Z999AA1{0:02d}{1:08d}",
            "TBA{0:04d}{1:08d}",
        )
        return shapes[self.number % 4].format(self.number % 10, serial)

    def open_day_before(self, days: int) -> date:
        for back in range(days, days + 60):
            day = self.today - timedelta(days=back)
            if self.calendar.is_open_day(day):
                return day
        raise LookupError("No open day to receive on.")

    def receive(self, member: Member | None, days_ago: int) -> Parcel:
        """In the morning of an open day, some days ago; never after now."""
        moment = min(at(self.open_day_before(days_ago), CAME), self.now - timedelta(minutes=90))
        return receive_parcel(
            place=self.place,
            member=member,
            tracking=self.barcode(),
            size=self.rng.choice(ParcelSize.values),
            shelf=self.rng.choice(SHELVES),
            by=self.desk,
            now=moment,
        )

    def past(self, members: list[Member]) -> None:
        """Most were collected within days; whose subscription had not begun yet has none."""
        for number in range(24):
            try:
                parcel = self.receive(self.rng.choice(members), 6 + number * 2)
            except Refused:
                continue
            if number % 9 == 8:
                day = self.calendar.next_open_day(parcel.keep_until + timedelta(days=1))
                if day is not None and day < self.today:
                    send_back(parcel, by=self.desk, now=at(day, time(9, 15)))
                    continue
            day = self.calendar.next_open_day(
                local_day(parcel.received_at) + timedelta(days=self.rng.randrange(1, 5))
            )
            assert day is not None and parcel.member is not None
            collected_at = min(at(day, time(11, 5)), self.now - timedelta(minutes=30))
            hand_over_parcel(parcel, parcel.member, by=self.desk, now=collected_at)


def make_parcels(place: Place, desk: User, now: datetime, rng: Random) -> None:
    ParcelPolicy.objects.create(place=place)
    counter = Counter(place, desk, now, rng)
    covered = Member.objects.filter(
        place=place,
        household__rights__activity=Activity.SERVICES,
        household__rights__starts_on__lte=counter.today - timedelta(days=60),
        household__rights__ends_on__gte=counter.today,
    )
    members = list(
        covered.exclude(user__email__in=[f"leila@{DOMAIN}", f"rose@{DOMAIN}"])
        .select_related("user", "household", "place__landlord")
        .distinct()
        .order_by("pk")
    )
    counter.past(members)
    leila, rose = (
        Member.objects.select_related("user", "household", "place").get(
            user__email=f"{name}@{DOMAIN}"
        )
        for name in ("leila", "rose")
    )
    joined = now - timedelta(days=20)
    name_proxy(leila, "Fatou", "Ndiaye", by=leila.user, now=joined)
    name_proxy(leila, "Julien", "Carpentier", until=counter.today + timedelta(days=30),
               by=leila.user, now=joined)  # fmt: skip
    name_proxy(rose, "Odile", "Lemaire", by=desk, now=joined)
    for member, days_ago in (
        (members[0], 21),
        (leila, 2),
        (leila, 0),
        (rose, 4),
        (members[1], 1),
        (members[2], 0),
        (None, 1),
    ):
        counter.receive(member, days_ago)
