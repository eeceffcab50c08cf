"""Who signs in to the demonstration: named people, staff, partners, and the neighbours."""

import csv
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from club.domain.access import assign, set_second_factor
from club.domain.consents import give_consent
from club.domain.members import register_member
from club.domain.tenancy import check_tenancy, confirm_on_paper
from club.enums import ConsentKind, NoteCode, Role
from club.kernel.spans import at, local_day
from club.models import CodedNote, Dwelling, Household, Member, Place, Residence, User
from demo.money import Asked, began_on, take_subscriptions
from demo.people import AT_PIGEONNIER, BOTH, HOMES, MAIL, PHONE, Home
from demo.places import PIGEONNIER

DATA = Path(__file__).parent / "data"
DOMAIN = "demo.example"
STAFF_PASSWORD = "tilleuls-en-fleur-80"
STAFF_SECRET = "TILLEULSAMIENSNORDDEMO234567ABCD"
"""The same for all staff of the demonstration, base 32: printed with the current code."""


@dataclass(frozen=True)
class Staff:
    name: str
    first_name: str
    last_name: str
    role: str
    everywhere: bool = False


STAFF = (
    Staff("concierge", "Nadia", "Bensaïd", Role.CONCIERGE),
    Staff("olivier", "Olivier", "Duflot", Role.CONCIERGE, everywhere=True),
    Staff("officer", "Claire", "Masson", Role.OFFICER, everywhere=True),
    Staff("editor", "Julien", "Prévost", Role.EDITOR),
)
PARTNERS = (("baker", "Denis", "Fournil"), ("plumber", "Karim", "Aziz"))


def make_staff(tilleuls: Place, pigeonnier: Place, now: datetime) -> dict[str, User]:
    password = make_password(STAFF_PASSWORD)
    users = {}
    for person in STAFF:
        user = make_user(person.name, person.first_name, person.last_name, password)
        set_second_factor(user, STAFF_SECRET)
        assign(user, tilleuls, person.role, by=None, now=now)
        if person.everywhere:
            assign(user, pigeonnier, person.role, by=None, now=now)
        users[person.name] = user
    for name, first_name, last_name in PARTNERS:
        make_user(name, first_name, last_name, make_password(None))
    return users


def make_user(name: str, first_name: str, last_name: str, password: str) -> User:
    email = f"{name}@{DOMAIN}"
    user = User.objects.create(
        email=email, first_name=first_name, last_name=last_name, password=password
    )
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


# -- Members ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Lease:
    reference: str
    surname: str
    birth_date: date


def leases() -> dict[str, Lease]:
    """The invented leases by surname, as the landlord's file gives them; the first wins."""
    found: dict[str, Lease] = {}
    with (DATA / "tenancies.csv").open(encoding="utf-8", newline="") as file:
        for reference, surname, born in list(csv.reader(file, delimiter=";"))[1:]:
            day, month, year = map(int, born.split("/"))
            found.setdefault(surname, Lease(reference, surname, date(year, month, day)))
    return found


def make_members(
    tilleuls: Place, pigeonnier: Place, desk: User, now: datetime, rng: Random
) -> None:
    """The named three, then the neighbours of both places."""
    known = leases()
    asked = make_named(tilleuls, desk, known, now)
    for number, home in enumerate((*HOMES, *AT_PIGEONNIER)):
        place = tilleuls if number < len(HOMES) else pigeonnier
        joined = now - timedelta(days=rng.randrange(120, 320), minutes=rng.randrange(600))
        began = began_on(home.right, number, local_day(now))
        if began is not None:
            joined = min(joined, at(began, time(9, 40)))
        members = make_home(home, place, number, desk, joined)
        if home.tenant:
            settle(members[0], number)
            prove(members[0], known, number, desk, joined)
        if began is not None:
            asked.append(Asked(began, members[0]))
        if number % 5 == 0:
            give_consent(members[0], ConsentKind.CLUB_NEWS, by=members[0].user, now=joined)
        if number in NOTES:
            CodedNote.objects.create(member=members[-1], code=NOTES[number])
    take_subscriptions(asked, desk)


NOTES = {
    3: NoteCode.CALL_FIRST, 7: NoteCode.INTERPRETER, 9: NoteCode.READS_LITTLE,
    13: NoteCode.STEP_FREE, 17: NoteCode.LARGE_PRINT,
}  # fmt: skip


def make_named(place: Place, desk: User, known: dict[str, Lease], now: datetime) -> list[Asked]:
    """Leïla, Marc and Rose, as the README names them; who of them has subscribed, and when."""
    began = local_day(now) - timedelta(days=260)
    joined = at(began, time(9, 30))
    leila = register_member(
        first_name="Leïla", last_name="Haddad", email=f"leila@{DOMAIN}", place=place, by=None,
        now=joined,
    )  # fmt: skip
    register_member(
        first_name="Mourad", last_name="Haddad", place=place, household=leila.household, by=desk,
        now=joined,
    )  # fmt: skip
    Household.objects.filter(pk=leila.household_id).update(size=4)
    settle(leila, FIRST_NAMED)
    lease = known["HADDAD"]
    check_tenancy(leila, lease.reference, lease.surname, lease.birth_date, joined)
    register_member(
        first_name="Marc", last_name="Fontaine", email=f"marc@{DOMAIN}", place=place, by=None,
        now=now - timedelta(days=30),
    )  # fmt: skip
    rose = register_member(
        first_name="Rose", last_name="Lemaire", email=f"rose@{DOMAIN}", place=place, by=desk,
        now=joined,
    )  # fmt: skip
    settle(rose, FIRST_NAMED + len(LIVED_IN))
    confirm_on_paper(rose, by=desk, now=joined)
    for code in (NoteCode.CALL_FIRST, NoteCode.LARGE_PRINT):
        CodedNote.objects.create(member=rose, code=code)
    for member in (leila, Member.objects.get(user__email=f"marc@{DOMAIN}")):
        EmailAddress.objects.filter(user=member.user).update(verified=True)
    return [Asked(began, leila), Asked(began, rose)]


LIVED_IN = ("HTR-001", "HTR-002", "HTR-004")
"""Few residences, so that each has enough uses in a month for the savings to name it."""
BY_PIGEONNIER = "HTR-007"
DOORS = "ABCD"
FIRST_NAMED = 48
"""The named people live above the neighbours, in the first residence."""


def settle(member: Member, number: int) -> None:
    """A tenant's household has its dwelling, four on a landing, under the landlord's code."""
    code = LIVED_IN[number % len(LIVED_IN)]
    if member.place.slug == PIGEONNIER:
        code = BY_PIGEONNIER
    rank = number // len(LIVED_IN)
    floor, door = 1 + rank // len(DOORS), rank % len(DOORS)
    dwelling = Dwelling.objects.create(
        residence=Residence.objects.get(landlord=member.place.landlord, code=code),
        code=f"{code}-{100 * floor + 10 * (number % len(LIVED_IN)) + door + 1}",
        floor=str(floor),
        door=DOORS[door],
        rooms=2 + rank % 3,
    )
    Household.objects.filter(pk=member.household_id).update(dwelling=dwelling)


def make_home(home: Home, place: Place, number: int, desk: User, now: datetime) -> list[Member]:
    members: list[Member] = []
    for rank, (first_name, last_name, reached) in enumerate(home.adults):
        members.append(
            register_member(
                first_name=first_name,
                last_name=last_name,
                email=address_of(first_name, last_name) if reached in {MAIL, BOTH} else "",
                phone=f"03 53 01 {number:02d} {rank + 1:02d}" if reached in {PHONE, BOTH} else "",
                place=place,
                household=members[0].household if members else None,
                by=None if reached == MAIL else desk,
                now=now,
            )
        )
    EmailAddress.objects.filter(user__member__in=members).update(verified=True)
    Household.objects.filter(pk=members[0].household_id).update(size=home.size)
    return members


def address_of(first_name: str, last_name: str) -> str:
    """ "Élodie Lefèvre" becomes elodie.lefevre@demo.example."""
    text = unicodedata.normalize("NFKD", f"{first_name}.{last_name}".lower())
    plain = text.translate({ord("ı"): "i", ord("ł"): "l"})
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c in ".-")) + f"@{DOMAIN}"


def prove(member: Member, known: dict[str, Lease], number: int, desk: User, now: datetime) -> None:
    """Most by the landlord's yes or no, some by a paper seen at the desk, some not yet."""
    if number % 7 == 6:
        return
    lease = known.get(member.last_name.upper())
    if lease is None or number % 4 == 3:
        confirm_on_paper(member, by=desk, now=now)
    else:
        check_tenancy(member, lease.reference, lease.surname, lease.birth_date, now)
