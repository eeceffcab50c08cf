"""The demonstration town: built whole in one transaction, around the present moment."""

from datetime import datetime, timedelta
from io import StringIO
from random import Random

from django.core.management import call_command
from django.db import transaction

from club.enums import MessageStatus
from club.imports.residences import import_residences
from club.kernel.spans import local_day
from club.kernel.transitions import log
from club.models import Landlord, LogEntry, Message, Place, User
from concierge.imports.tools import import_tools
from demo.accounts import DATA, DOMAIN, make_members, make_staff
from demo.club_life import live_with_partners
from demo.events import load_events
from demo.lending import a_few_loans, tell_the_story
from demo.money import make_plans, open_today, pay_fees
from demo.opinions import say_how_it_went
from demo.orders import make_orders
from demo.parcels import make_parcels
from demo.partners import make_partners
from demo.places import LANDLORD, PIGEONNIER, TILLEULS, make_landlord, make_places
from demo.services import load_services
from demo.stays import make_stays

SEED = 80080
"""The same town each time, whatever the day: only its dates follow the present."""


def load(now: datetime) -> bool:
    """Build what is missing; True if the town was built, False if it stood already."""
    is_new = not Landlord.objects.filter(slug=LANDLORD).exists()
    if is_new:
        with transaction.atomic():
            build(now)
            build_pages()
            build_programme(now)
            build_opinions(now)
            settle_messages(now)
    else:
        build_pages()
    return is_new


def build(now: datetime) -> None:
    rng = Random(SEED)
    opened = now - timedelta(days=400)
    landlord = make_landlord()
    tilleuls, pigeonnier = make_places(landlord, now)
    make_plans(landlord, now)
    staff = make_staff(tilleuls, pigeonnier, opened)
    desk = staff["concierge"]
    import_residences(
        DATA / "residences.csv", landlord=landlord, place=tilleuls, by=staff["officer"], now=opened
    )
    call_command(
        "load_tenancies", str(DATA / "tenancies.csv"), landlord=LANDLORD, stdout=StringIO()
    )
    import_tools(DATA / "tools.csv", place=tilleuls, by=desk, now=opened)
    import_tools(DATA / "tools_pigeonnier.csv", place=pigeonnier, by=desk, now=opened)
    make_members(tilleuls, pigeonnier, desk, now, rng)
    tell_the_story(tilleuls, desk, now, rng)
    a_few_loans(pigeonnier, staff["olivier"], now, rng)
    for place, concierge in ((tilleuls, desk), (pigeonnier, staff["olivier"])):
        pay_fees(place, concierge, now)
    load_services(tilleuls, pigeonnier, desk, now, Random(SEED + 2))
    open_today(tilleuls, desk, now)
    make_parcels(tilleuls, desk, now, Random(SEED + 2))
    make_partners(landlord, staff["officer"], now)
    live_with_partners(landlord, staff["officer"], now, Random(SEED + 2))
    make_orders(tilleuls, pigeonnier, desk, now, Random(SEED + 3))
    make_stays(tilleuls, desk, now)
    log(landlord, "load_demo", by=None, now=now)


def settle_messages(now: datetime) -> None:
    """What the past had to tell was told: only what is due from now on is sent."""
    Message.objects.filter(due_at__lt=now, status=MessageStatus.PENDING).update(
        status=MessageStatus.SENT, sent_at=now
    )


def build_pages() -> None:
    from cms.setup import build_site

    for slug in (TILLEULS, PIGEONNIER):
        build_site(Place.objects.select_related("landlord").get(slug=slug))


def build_programme(now: datetime) -> None:
    """After the pages, under which events are."""
    places = {place.slug: place for place in Place.objects.select_related("landlord")}
    desk = User.objects.get(email=f"concierge@{DOMAIN}")
    load_events(places[TILLEULS], places[PIGEONNIER], desk, now, Random(SEED + 1))


def build_opinions(now: datetime) -> None:
    """After all that people were asked about."""
    tilleuls = Place.objects.get(slug=TILLEULS)
    desk = User.objects.get(email=f"concierge@{DOMAIN}")
    say_how_it_went(tilleuls, desk, now, Random(SEED + 4))


def age_in_days(now: datetime) -> int:
    """How long ago the town was built: its dates grow old with it."""
    built = (
        LogEntry.objects.filter(verb="load_demo").order_by("-at").values_list("at", flat=True)
    ).first()
    return (local_day(now) - local_day(built)).days if built else 0


def stands_alone() -> bool:
    """Whether the database holds nothing but the demonstration."""
    return not Landlord.objects.exclude(slug=LANDLORD).exists()


def team() -> list[User]:
    return list(User.objects.filter(assignments__isnull=False).distinct().order_by("pk"))
