"""How people are told of their account and their household: it ends, somebody came or left."""

from collections.abc import Iterable
from datetime import date, datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Member, Message


def load(ids: Iterable[int]) -> dict[int, Member]:
    return Member.objects.select_related("user", "place").in_bulk(list(ids))


def is_still_asleep(message: Message, member: Member, now: datetime) -> bool:
    seen = member.user.last_login
    return member.user.is_active and (seen is None or seen < message.due_at)


def write(message: Message, member: Member, now: datetime) -> Letter:
    day = words.day(date.fromisoformat(message.facts["on"]), local_day(now))
    context: dict[str, object] = {"day": day, "place": member.place}
    template = "club/email/account_ends"
    link = settings.BASE_URL + reverse("portal:home")
    return letter_of(
        template,
        context,
        button=_("Garder mon compte"),
        link=link,
    )


def is_still_so(message: Message, who: Member, now: datetime) -> bool:
    """Somebody who came and left again, or who was erased meanwhile, is not told of."""
    is_in = who.household_id == message.facts["household"]
    return who.user.is_active and is_in == (message.event == "household.joined")


def write_move(message: Message, who: Member, now: datetime) -> Letter:
    context: dict[str, object] = {
        "name": who.first_name,
        "day": words.day(message.due_at, local_day(now)),
        "has_joined": message.event == "household.joined",
        "place": who.place,
    }
    link = settings.BASE_URL + reverse("portal:household")
    return letter_of(
        "club/email/household",
        context,
        button=_("Voir mon foyer"),
        link=link,
    )


def register() -> None:
    letters.register(Sort("account.ends", Member, load, is_still_asleep, write))
    for event in ("household.joined", "household.left"):
        letters.register(Sort(event, Member, load, is_still_so, write_move))
