"""How registrations are told: the words of each event, from the registration as it is now.

What has begun is told of no more, save that it was cancelled: a worker that was down
sends no offer that is over, and no turn on a list that nobody stands in.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.domain.refunds import COUNTING
from club.emails import letter_of
from club.enums import MessageStatus, RefundReason
from club.kernel import codes, letters, links, words
from club.kernel.calendars import ics_of
from club.kernel.letters import Attachment, Letter, Sort, in_status
from club.kernel.spans import local_day
from club.models import Message, Refund
from club.queries.paying import pays_online
from events.domain import fees
from events.domain.reminders import DAYS, is_of_today
from events.domain.waiting import position_of
from events.enums import EXPECTED, LIVE, OPEN, RegistrationStatus, SessionStatus
from events.kinds import GONE, entry, places_words, where_of
from events.models import Registration, Session
from events.queries.policies import policy_for

CALLED_OFF = "registration.session_cancelled"
IN_AGENDA = {
    "registration.confirmed",
    "registration.changed",
    "registration.cancelled",
    "registration.lapsed",
    "registration.session_moved",
    CALLED_OFF,
}


def load(ids: Iterable[int]) -> dict[int, Registration]:
    return Registration.objects.select_related(
        "session__event", "session__replaced_by", "place__event_policy", "member"
    ).in_bulk(list(ids))


# -- Whether there still is something to tell ---------------------------------------------


def has_begun(one: Registration, now: datetime) -> bool:
    return now >= one.starts_at


def before_it_begins(*statuses: str) -> Callable[[Message, Registration, datetime], bool]:
    return lambda message, one, now: one.status in statuses and not has_begun(one, now)


def is_offered(message: Message, one: Registration, now: datetime) -> bool:
    return one.offer_holds(now)


def is_to_be_paid(message: Message, one: Registration, now: datetime) -> bool:
    in_time = one.pay_until is None or now < one.pay_until
    return one.status == RegistrationStatus.PENDING and in_time and not has_begun(one, now)


def has_lapsed(message: Message, one: Registration, now: datetime) -> bool:
    """On the day of the session still: what was asked or unpaid lapses when it begins."""
    is_over = local_day(now) > local_day(one.starts_at)
    return one.status == RegistrationStatus.LAPSED and not is_over


WANTED: dict[str, Any] = {
    "registration.confirmed": before_it_begins(RegistrationStatus.CONFIRMED),
    "registration.pending": is_to_be_paid,
    "registration.waiting": before_it_begins(RegistrationStatus.WAITING),
    "registration.asked": before_it_begins(RegistrationStatus.ASKED),
    "registration.offered": is_offered,
    "registration.changed": before_it_begins(*OPEN),
    "registration.cancelled": in_status(RegistrationStatus.CANCELLED),
    "registration.lapsed": has_lapsed,
    "registration.refused": before_it_begins(RegistrationStatus.REFUSED),
    CALLED_OFF: in_status(RegistrationStatus.CANCELLED),
    "registration.session_moved": before_it_begins(*LIVE),
    **dict.fromkeys(DAYS, is_of_today),
}


# -- Money ------------------------------------------------------------------------------------


def money_of(one: Registration) -> dict[str, str]:
    """What is still to pay, and what goes back by which way; empty where there is nothing."""
    if not one.cents:
        return dict.fromkeys(("to_pay", "back_online", "back_at_desk", "kept"), "")
    to_pay = -fees.balance(one) if one.status in fees.PAYABLE else 0
    keeps = one.status in GONE and fees.charges_of(one).filter(reversed_by=None).exists()

    def said(cents: int) -> str:
        return words.money(cents) if cents > 0 else ""

    return {
        "to_pay": said(to_pay),
        "back_online": said(refunded_since_told(one)),
        "back_at_desk": said(fees.owed(one)),
        "kept": said(one.cents if keeps else 0),
    }


def refunded_since_told(one: Registration) -> int:
    """Cents that go back on line, and that no letter has told of yet."""
    told = Message.objects.filter(
        subject_kind=fees.KIND, subject_id=one.pk, group="", status=MessageStatus.SENT
    )
    since = told.aggregate(at=Max("sent_at"))["at"]
    refunds = Refund.objects.filter(
        entry__in=fees.payments_of(one), reason=RefundReason.CANCELLED, status__in=COUNTING
    )
    if since is not None:
        refunds = refunds.filter(asked_at__gte=since)
    return refunds.aggregate(sum=Sum("cents"))["sum"] or 0


def price_words(one: Registration) -> str:
    if one.cents:
        return words.money(one.cents)
    return one.session.event.price_text or _("gratuit")


# -- Words -----------------------------------------------------------------------------------


def until_words(ends_at: datetime, now: datetime) -> str:
    """ "jusqu’à demain 20 h": how long an offer holds, from the day on which it is told."""
    hour = words.hour(ends_at)
    days = (local_day(ends_at) - local_day(now)).days
    if days == 0:
        return _("jusqu’à aujourd’hui %(hour)s") % {"hour": hour}
    if days == 1:
        return _("jusqu’à demain %(hour)s") % {"hour": hour}
    return _("jusqu’au %(moment)s") % {"moment": words.moment(ends_at)}


def facts_of(one: Registration, now: datetime) -> list[tuple[str, str]]:
    day = words.day(local_day(one.starts_at), local_day(now))
    facts = [
        (_("Événement"), one.session.event.title),
        (_("Référence"), codes.spoken(one.reference)),
        (_("Places"), places_words(one.quantity)),
        (_("Quand"), f"{day}, {words.span(one.starts_at, one.ends_at)}"),
        (_("Où"), where_of(one)),
    ]
    if one.status in GONE:
        return facts
    if one.session.note:
        facts.append((_("Ce jour-là"), one.session.note))
    facts.append((_("Prix"), price_words(one)))
    if one.session.event.bring:
        facts.append((_("À apporter"), one.session.event.bring))
    return facts


def offered_at_the_other_date(
    message: Message, one: Registration, now: datetime
) -> Registration | None:
    """The places that are held there for who was registered here."""
    reference = message.facts.get("offered")
    if message.event != CALLED_OFF or not reference:
        return None
    found = Registration.objects.filter(reference=reference, member=one.member_id)
    offered = found.select_related("session").first()
    return offered if offered is not None and offered.offer_holds(now) else None


def other_date(message: Message, one: Registration, now: datetime) -> Session | None:
    """Where it takes place instead, as long as one can come there."""
    other = one.session.replaced_by
    if message.event != CALLED_OFF or other is None:
        return None
    is_on = other.status == SessionStatus.SCHEDULED and now < other.starts_at
    return other if is_on else None


def words_of(
    message: Message, one: Registration, offered: Registration | None, now: datetime
) -> dict[str, Any]:
    """All that a letter may need, in words; what does not apply is empty."""
    today, session = local_day(now), one.session

    def said(moment: datetime | None) -> str:
        if moment is None:
            return ""
        day = words.day(local_day(moment), today)
        return _("%(day)s à %(hour)s") % {"day": day, "hour": words.hour(moment)}

    held = offered or one
    other = other_date(message, one, now)
    money = money_of(one)
    refunds_until = session.refunds_until()
    return {
        "title": session.event.title,
        "moment": said(one.starts_at),
        "day": words.day(local_day(one.starts_at), today),
        "quantity": one.quantity,
        "places": places_words(one.quantity),
        "wanted": one.wanted,
        "fewer": one.fewer_ok,
        "position": position_of(one) if one.status == RegistrationStatus.WAITING else 0,
        "offer_hour": words.hour(policy_for(one.place).offer_until),
        "until": until_words(held.offer_ends_at, now) if held.offer_ends_at else "",
        "until_moment": said(held.offer_ends_at),
        "price": words.money(one.cents) if one.cents else "",
        "pays_first": session.pay_first,
        "pay_until": said(one.pay_until),
        "online": pays_online(one.place),
        "refunds_until": said(refunds_until) if one.cents and now < refunds_until else "",
        "has_begun": has_begun(one, now),
        "was": message.facts.get("was", ""),
        "reason": session.get_cancel_reason_display(),
        "other": said(other.starts_at) if other else "",
        "is_offered_there": offered is not None,
        "is_waiting": one.status == RegistrationStatus.WAITING,
        "facts": facts_of(one, now),
        **money,
    }


def button_of(message: Message, one: Registration, said: dict[str, Any]) -> str:
    if said["is_offered_there"] or one.status == RegistrationStatus.OFFERED:
        return ngettext("Prendre ma place", "Prendre mes places", one.quantity)
    if one.status == RegistrationStatus.PENDING and said["online"]:
        return ngettext("Payer ma place", "Payer mes places", one.quantity)
    if said["other"]:
        return _("Voir l’autre date")
    return _("Voir mon inscription")


def links_of(
    message: Message, one: Registration, offered: Registration | None, now: datetime
) -> tuple[str, str]:
    """The long one and that of an SMS, to what is to be done now."""
    other = other_date(message, one, now)
    if offered is None and other is not None:
        page = settings.BASE_URL + other.get_absolute_url()
        return page, page
    reference = offered.reference if offered else one.reference
    return links.booking_link(reference), links.short_booking_link(reference, local_day(now))


def agenda_of(one: Registration) -> Attachment:
    """The entry as it is now: an agenda takes the newest, and strikes what is cancelled."""
    at = entry(one)
    link = links.booking_link(one.reference)
    return Attachment("inscription.ics", ics_of([at], links={at.uid: link}), "text/calendar")


def is_in_agenda(message: Message, one: Registration) -> bool:
    """Who only waits has nothing to put there."""
    stands = one.status in {*EXPECTED, RegistrationStatus.PRESENT, *GONE}
    return message.event in IN_AGENDA and stands


def write(message: Message, one: Registration, now: datetime) -> Letter:
    offered = offered_at_the_other_date(message, one, now)
    context = words_of(message, one, offered, now)
    link, short_link = links_of(message, one, offered, now)
    return letter_of(
        "events/email/" + message.event.replace(".", "_"),
        context,
        button=button_of(message, one, context),
        link=link,
        short_link=short_link,
        attachments=(agenda_of(one),) if is_in_agenda(message, one) else (),
    )


def register() -> None:
    for event, is_wanted in WANTED.items():
        letters.register(Sort(event, Registration, load, is_wanted, write))
