"""How somebody is told that their account is about to end."""

from collections.abc import Iterable
from datetime import date, datetime

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from club.emails import one_line, rendered
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
    return Letter(
        subject=one_line(rendered(f"{template}_subject.txt", context)),
        text=rendered(f"{template}_body.txt", context),
        html=mark_safe(rendered(f"{template}_body.html", context)),  # noqa: S308  # nosec
        button=_("Garder mon compte"),
        link=link,
        short_link=link,
    )


def register() -> None:
    letters.register(Sort("account.ends", Member, load, is_still_asleep, write))
