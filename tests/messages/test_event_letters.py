"""What each event of a registration says, in both forms, by SMS and in the agenda."""

from datetime import datetime, time, timedelta
from typing import Any

import icalendar
import pytest
from django.core import mail

from club.domain.ledger import enter
from club.domain.messages import tell
from club.domain.outbox import Round, send_due
from club.domain.receipts import take_payment
from club.emails import MailAndSms, sms_of
from club.enums import Account, EntryKind, Means, RefundStatus
from club.kernel import letters, links, sms_text
from club.kernel.purchases import Due, Paid
from club.kernel.spans import at
from club.models import Member, Message, Place, Refund, User
from events.domain import fees
from events.domain.changes import cancel_sessions, plan_cancellation
from events.domain.registrations import cancel, change_quantity, register
from events.emails import IN_AGENDA, WANTED, load
from events.enums import CancelReason, RegistrationStatus
from events.models import Registration, Session
from tests.factories.club import MemberFactory
from tests.factories.events import RegistrationFactory, SessionFactory, make_event

NBSP = "\u00a0"
DAY = f"mardi 16{NBSP}mars"
MOMENT = f"{DAY} à 10{NBSP}h{NBSP}24"
LATER = f"mardi 23{NBSP}mars à 10{NBSP}h{NBSP}24"
DEMAIN = f"mercredi 10{NBSP}mars à 20{NBSP}h"


@pytest.fixture
def session(place: Place) -> Session:
    event = make_event(place, bring="Apportez un tablier.")
    return SessionFactory(place=place, event=event, room="salle Balzac", price_cents=300)


@pytest.fixture
def one(member: Member, session: Session) -> Registration:
    return RegistrationFactory(session=session, member=member, quantity=3)


def send(now: datetime) -> Round:
    with MailAndSms() as transport:
        return send_due(now, transport)


def told(event: str, one: Registration, now: datetime, **facts: Any) -> Any:
    tell(one.member, event, one, key=f"{event}:{one.pk}", now=now, facts=facts)
    assert send(now) == Round(sent=1), Message.objects.values_list("status", "error")
    return mail.outbox[-1]


def stand(one: Registration, **changes: Any) -> None:
    Registration.objects.filter(pk=one.pk).update(**changes)


def offer_ends(now: datetime) -> datetime:
    return at(now.date() + timedelta(days=1), time(20))


CASES: dict[str, tuple[str, dict[str, Any], str, str, str]] = {
    "registration.confirmed": (
        "confirmed",
        {},
        f"C’est réservé{NBSP}: Atelier cuisine, {MOMENT}",
        "Vos 3 places sont réservées.",
        "Voir mon inscription",
    ),
    "registration.pending": (
        "pending",
        {},
        f"À payer avant le jeudi 11{NBSP}mars à 10{NBSP}h{NBSP}24{NBSP}: Atelier cuisine, {DAY}",
        "Sans paiement à temps, la personne suivante en profite.",
        "Voir mon inscription",
    ),
    "registration.waiting": (
        "waiting",
        {},
        f"En liste d’attente{NBSP}: Atelier cuisine, {MOMENT}",
        f"Votre numéro sur la liste{NBSP}: 1.",
        "Voir mon inscription",
    ),
    "registration.asked": (
        "asked",
        {},
        f"Demande reçue{NBSP}: Atelier cuisine, {MOMENT}",
        "L’accueil confirme chaque inscription à cet événement.",
        "Voir mon inscription",
    ),
    "registration.offered": (
        "offered",
        {},
        f"3 places pour vous jusqu’à demain 20{NBSP}h{NBSP}: Atelier cuisine, {DAY}",
        f"Répondez avant le {DEMAIN}.",
        "Prendre mes places",
    ),
    "registration.changed": (
        "confirmed",
        {},
        f"Inscription changée{NBSP}: Atelier cuisine, {MOMENT}",
        "Voici ce qui compte maintenant.",
        "Voir mon inscription",
    ),
    "registration.cancelled": (
        "cancelled",
        {},
        f"Inscription annulée{NBSP}: Atelier cuisine, {DAY}",
        "Votre inscription est annulée.",
        "Voir mon inscription",
    ),
    "registration.lapsed": (
        "lapsed",
        {"was": "pending"},
        f"Inscription terminée{NBSP}: Atelier cuisine, {DAY}",
        "Le paiement n’est pas arrivé à temps. Vos 3 places sont de nouveau libres.",
        "Voir mon inscription",
    ),
    "registration.refused": (
        "refused",
        {},
        f"Demande non retenue{NBSP}: Atelier cuisine, {DAY}",
        "L’accueil n’a pas pu retenir votre demande cette fois.",
        "Voir mon inscription",
    ),
    "registration.session_cancelled": (
        "cancelled",
        {},
        f"Séance annulée{NBSP}: Atelier cuisine, {MOMENT}",
        f"La raison{NBSP}: l’animateur est absent.",
        "Voir mon inscription",
    ),
    "registration.session_moved": (
        "confirmed",
        {},
        f"Séance déplacée{NBSP}: Atelier cuisine, {MOMENT}",
        "La séance change. Voici le jour, l’heure et le lieu maintenant.",
        "Voir mon inscription",
    ),
    "registration.in_7": (
        "confirmed",
        {"day": "2027-03-09"},
        f"Dans une semaine, {MOMENT}{NBSP}: Atelier cuisine",
        "Vos 3 places vous attendent.",
        "Voir mon inscription",
    ),
    "registration.tomorrow": (
        "confirmed",
        {"day": "2027-03-15"},
        f"Demain, {MOMENT}{NBSP}: Atelier cuisine",
        "Pensez à votre carte.",
        "Voir mon inscription",
    ),
}


def put(one: Registration, event: str, now: datetime) -> dict[str, Any]:
    """The registration as it is when the event is told."""
    status, facts = CASES[event][:2]
    stand(
        one,
        status=status,
        queued_at=now,
        offer_ends_at=offer_ends(now) if status == "offered" else None,
        pay_until=now + timedelta(days=2) if status == "pending" else None,
        cancelled_at=now if status == "cancelled" else None,
        lapsed_at=now if status == "lapsed" else None,
    )
    if event == "registration.session_cancelled":
        Session.objects.update(status="cancelled", cancel_reason=CancelReason.ILLNESS)
    return facts


def at_the_time(event: str, now: datetime) -> datetime:
    return now + timedelta(days=6) if event == "registration.tomorrow" else now


def test_each_event_that_a_verb_tells_has_a_case() -> None:
    assert set(CASES) == set(WANTED)
    assert all(letters.sort_of(event) for event in CASES)


@pytest.mark.parametrize("event", CASES)
def test_the_subject_is_fact_and_date_and_the_two_forms_say_the_same(
    event: str, one: Registration, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    facts = put(one, event, now)
    message = told(event, one, at_the_time(event, now), **facts)
    status, _facts, subject, words, button = CASES[event]
    assert message.subject == subject
    html = message.alternatives[0].content
    for form in (message.body, html):
        assert words in form
        assert button in form
        for fact in (
            "Bonjour Samira,",
            "https://club.example.org/mon-espace/r/",
            "3 places",
            f"{DAY}, de 10{NBSP}h{NBSP}24 à 12{NBSP}h{NBSP}24",
            "salle Balzac, Conciergerie des Tilleuls, 7, allée des Tilleuls, 80080 Amiens",
            "03 53 01 24 60",
        ):
            assert fact in form
        assert "{" not in form.split("</style>")[-1]
        assert "None" not in form
    gone = status in {"cancelled", "lapsed", "refused"}
    assert ("Apportez un tablier." in message.body) is not gone
    assert html.count('class="button"') == 1
    assert message.to == [one.member.user.email]


@pytest.mark.parametrize("event", CASES)
def test_an_sms_has_160_places_and_ends_with_a_short_link(
    event: str, one: Registration, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    one.session.event.title = "Découverte de la cuisine méditerranéenne en famille, à l’œil"
    one.session.event.save()
    facts = put(one, event, now)
    then = at_the_time(event, now)
    row = Message(member=one.member, event=event, facts=facts, channel="sms")
    sort = letters.sort_of(event)
    assert sort is not None
    letter = sort.write(row, load([one.pk])[one.pk], then)
    text = sms_of(row, [letter], then)
    link = links.short_booking_link(one.reference, then.date())
    assert text.startswith("Conciergerie des Tilleuls: ")
    assert text.endswith(f" {link}")
    assert sms_text.length(text) <= 160
    assert set(text) <= sms_text.BASIC | sms_text.EXTENDED


@pytest.mark.parametrize("event", CASES)
def test_the_agenda_follows_where_it_changes(
    event: str, one: Registration, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    facts = put(one, event, now)
    stand(one, sequence=3)
    message = told(event, one, at_the_time(event, now), **facts)
    if event not in IN_AGENDA:
        assert message.attachments == []
        return
    (name, content, mimetype) = message.attachments[0]
    assert (name, mimetype) == ("inscription.ics", "text/calendar")
    text = content if isinstance(content, bytes) else content.encode()
    (found,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(found["UID"]) == f"{one.reference}@conciergerie"
    assert int(found["SEQUENCE"]) == 3
    gone = CASES[event][0] in {"cancelled", "lapsed"}
    assert str(found["STATUS"]) == ("CANCELLED" if gone else "CONFIRMED")


def test_who_only_waits_has_nothing_for_the_agenda(one: Registration, now: datetime) -> None:
    stand(one, status=RegistrationStatus.WAITING, queued_at=now)
    message = told("registration.changed", one, now)
    assert message.attachments == []
    assert f"Votre numéro sur la liste{NBSP}: 1." in message.body


def test_one_place_is_said_in_the_singular(one: Registration, now: datetime) -> None:
    stand(one, quantity=1, wanted=1, status=RegistrationStatus.OFFERED)
    stand(one, offer_ends_at=now + timedelta(hours=4))
    message = told("registration.offered", one, now)
    assert message.subject == (
        f"1 place pour vous jusqu’à aujourd’hui 14{NBSP}h{NBSP}24{NBSP}: Atelier cuisine, {DAY}"
    )
    assert "Une place est gardée pour vous." in message.body
    assert "Prendre ma place" in message.body


def test_a_title_with_signs_is_escaped_in_html_alone(one: Registration, now: datetime) -> None:
    one.session.event.title = "L'atelier <à> raclette & co"
    one.session.event.save()
    message = told("registration.confirmed", one, now)
    assert "L'atelier <à> raclette & co" in message.subject
    assert "L'atelier <à> raclette & co" in message.body
    assert "<à>" not in message.alternatives[0].content


# -- The waiting list ---------------------------------------------------------------------------


def test_who_waits_is_told_the_rule_and_their_number(
    place: Place, session: Session, now: datetime
) -> None:
    Session.objects.update(capacity=2, price_cents=0)
    holder, first, second = (MemberFactory(place=place) for _ in range(3))
    take(holder, session, 2, now)
    take(first, session, 2, now, waits=True, fewer_ok=True)
    take(second, session, 2, now + timedelta(minutes=1), waits=True)
    send(now + timedelta(minutes=2))
    body = body_for(second)
    assert f"Vous attendez 2 places ensemble. Votre numéro sur la liste{NBSP}: 2." in body
    assert "Dès que 2 places sont libres à votre tour, nous vous les proposons." in body
    assert f"jusqu’au lendemain à 20{NBSP}h" in body
    assert "nous vous proposons ce qu’il y a" in body_for(first)
    assert "nous vous proposons ce qu’il y a" not in body


def test_fewer_places_than_were_waited_for_are_told_so(one: Registration, now: datetime) -> None:
    stand(one, status="offered", quantity=2, wanted=3, fewer_ok=True, unit_cents=300)
    stand(one, offer_ends_at=offer_ends(now))
    body = told("registration.offered", one, now).body
    assert "2 places sont gardées pour vous, ensemble." in body
    assert f"Vous en attendiez 3{NBSP}: voici ce qui est libre." in body
    assert f"Le prix est de 6{NBSP}€, à payer après votre accord." in body


# -- Money ----------------------------------------------------------------------------------------


def take(member: Member, session: Session, quantity: int, now: datetime, **more: Any) -> Any:
    return register(
        member=member, session=session, quantity=quantity, by=member.user, now=now, **more
    )


def body_for(member: Member) -> str:
    bodies = [one.body for one in mail.outbox if one.to == [member.user.email]]
    return str(bodies[-1])


@pytest.fixture
def payer(place: Place) -> Member:
    """No subscriber: each place costs 3 €."""
    return MemberFactory(place=place)


@pytest.mark.parametrize(("key", "button"), [("", "Voir mon inscription"), ("sk_test", "Payer")])
def test_what_is_to_be_paid_and_until_when(
    payer: Member, session: Session, now: datetime, settings: Any, key: str, button: str
) -> None:
    settings.STRIPE_SECRET_KEY = key
    take(payer, session, 2, now)
    assert send(now) == Round(sent=1)
    body = body_for(payer)
    assert f"Payez 6{NBSP}€ avant le jeudi 11{NBSP}mars à 10{NBSP}h{NBSP}24." in body
    assert ("Payez en ligne par le lien ci-dessous, ou à l’accueil." in body) is bool(key)
    assert ("Payez à l’accueil." in body) is not key
    assert button in body


def test_what_is_paid_at_the_door_is_said_with_the_place(
    payer: Member, session: Session, now: datetime
) -> None:
    Session.objects.update(pay_first=False)
    take(payer, session, 2, now)
    send(now)
    body = body_for(payer)
    assert f"Il reste 6{NBSP}€ à payer, à l’accueil ou à l’entrée." in body
    assert f"On vous rembourse jusqu’au lundi 15{NBSP}mars à 10{NBSP}h{NBSP}24." in body


def pay_online(one: Registration, cents: int, now: datetime) -> None:
    """As the reading of the provider enters it."""
    entry = enter(
        kind=EntryKind.PAYMENT, account=Account.EVENT, cents=cents, place=one.place,
        household=one.member.household, member=one.member, subject_kind=fees.KIND,
        subject_id=one.pk, label="Atelier", source=f"stripe:pi_{one.pk}", means=Means.CARD,
        at=now, by=None,
    )  # fmt: skip
    fees.settle(one, Paid(cents, Means.CARD, entry.source, now), by=None, now=now)
    one.refresh_from_db()


def pay_at_desk(one: Registration, now: datetime, by: User) -> None:
    due = Due(fees.KIND, one.pk, "Atelier", -fees.balance(one))
    take_payment(
        member=one.member, place=one.place, lines=[due], means=Means.CHEQUE, by=by, now=now
    )
    one.refresh_from_db()


def test_a_payment_makes_the_places_sure_and_nothing_is_left_to_pay(
    payer: Member, session: Session, now: datetime
) -> None:
    one = take(payer, session, 2, now)
    pay_online(one, 600, now)
    assert send(now) == Round(sent=1, dropped=1)
    assert [message.subject for message in mail.outbox] == [
        f"C’est réservé{NBSP}: Atelier cuisine, {MOMENT}"
    ]
    assert "à payer" not in body_for(payer)


def test_what_was_paid_on_line_comes_back_the_same_way(
    payer: Member, session: Session, now: datetime
) -> None:
    one = take(payer, session, 2, now)
    pay_online(one, 600, now)
    cancel(one, by=payer.user, now=now)
    assert send(now + timedelta(minutes=10)) == Round(sent=1)
    body = body_for(payer)
    assert f"Vous recevez 6{NBSP}€ en quelques jours, par le moyen de votre paiement." in body
    assert "L’accueil vous rend" not in body


def test_a_refund_that_failed_waits_at_the_desk(
    payer: Member, session: Session, now: datetime
) -> None:
    one = take(payer, session, 2, now)
    pay_online(one, 600, now)
    cancel(one, by=payer.user, now=now)
    Refund.objects.update(status=RefundStatus.FAILED)
    send(now + timedelta(minutes=10))
    body = body_for(payer)
    assert f"L’accueil vous rend 6{NBSP}€. Passez quand vous voulez." in body
    assert "par le moyen de votre paiement" not in body
    assert "rien d’autre à faire" not in body


def test_what_was_paid_at_the_desk_waits_there(
    payer: Member, session: Session, now: datetime, concierge_user: User
) -> None:
    one = take(payer, session, 2, now)
    pay_at_desk(one, now, concierge_user)
    change_quantity(one, 1, by=payer.user, now=now)
    send(now + timedelta(minutes=10))
    assert f"L’accueil vous rend 3{NBSP}€." in body_for(payer)


def test_each_refund_is_told_once(payer: Member, session: Session, now: datetime) -> None:
    one = take(payer, session, 3, now)
    pay_online(one, 900, now)
    change_quantity(one, 2, by=payer.user, now=now)
    assert send(now + timedelta(minutes=10)) == Round(sent=1)
    assert f"Vous recevez 3{NBSP}€" in body_for(payer)
    cancel(one, by=payer.user, now=now + timedelta(hours=1))
    send(now + timedelta(hours=2))
    assert f"Vous recevez 6{NBSP}€" in body_for(payer)


def test_two_changes_in_ten_minutes_are_one_letter_with_both_refunds(
    payer: Member, session: Session, now: datetime
) -> None:
    one = take(payer, session, 3, now)
    pay_online(one, 900, now)
    send(now)
    change_quantity(one, 2, by=payer.user, now=now + timedelta(minutes=1))
    cancel(one, by=payer.user, now=now + timedelta(minutes=5))
    assert send(now + timedelta(minutes=12)) == Round()
    assert send(now + timedelta(minutes=15)) == Round(sent=1)
    assert mail.outbox[-1].subject == f"Inscription annulée{NBSP}: Atelier cuisine, {DAY}"
    assert f"Vous recevez 9{NBSP}€" in body_for(payer)


def test_after_the_term_the_money_is_kept_and_that_is_said(
    payer: Member, session: Session, now: datetime
) -> None:
    one = take(payer, session, 2, now)
    pay_online(one, 600, now)
    late = session.starts_at - timedelta(hours=23)
    send(now)
    cancel(one, by=payer.user, now=late)
    send(late + timedelta(minutes=10))
    assert f"Le délai de remboursement était passé{NBSP}: nous gardons 6{NBSP}€." in body_for(payer)
    assert Refund.objects.count() == 0


# -- A session that is cancelled -----------------------------------------------------------------


def call_off(session: Session, instead: Session | None, by: User, now: datetime) -> None:
    plan = plan_cancellation([session], instead=instead, now=now)
    cancel_sessions(
        [session], reason=CancelReason.WEATHER, instead=instead, seal=plan.seal, by=by, now=now
    )


def test_one_letter_says_why_what_comes_back_and_what_is_held_instead(
    payer: Member, place: Place, session: Session, now: datetime, concierge_user: User,
    settings: Any,
) -> None:  # fmt: skip
    settings.BASE_URL = "https://club.example.org"
    other = SessionFactory(place=place, event=session.event, in_days=14)
    one = take(payer, session, 2, now)
    pay_online(one, 600, now)
    send(now)
    call_off(session, other, concierge_user, now + timedelta(hours=1))
    assert send(now + timedelta(hours=1)) == Round(sent=1)
    body = body_for(payer)
    assert f"La raison{NBSP}: à cause du temps." in body
    assert f"Vous recevez 6{NBSP}€" in body
    assert f"Une autre date vous est proposée{NBSP}: {LATER}." in body
    assert f"Vos 2 places y sont gardées jusqu’à demain 20{NBSP}h." in body
    offered = Registration.objects.get(session=other)
    assert f"Prendre mes places{NBSP}: {links.booking_link(offered.reference)}" in body


def test_an_offer_elsewhere_that_has_lapsed_is_told_of_no_more(
    payer: Member, place: Place, session: Session, now: datetime, concierge_user: User
) -> None:
    other = SessionFactory(place=place, event=session.event, in_days=14)
    take(payer, session, 2, now)
    call_off(session, other, concierge_user, now)
    assert send(now + timedelta(days=2)) == Round(sent=1, dropped=1)
    body = body_for(payer)
    assert "gardées" not in body
    assert f"Une autre date existe{NBSP}: {LATER}." in body
    assert f"Voir l’autre date{NBSP}: " in body
    assert other.get_absolute_url() in body


def test_another_date_that_is_over_too_is_not_mentioned(
    payer: Member, place: Place, session: Session, now: datetime, concierge_user: User
) -> None:
    other = SessionFactory(place=place, event=session.event, in_days=14)
    take(payer, session, 2, now)
    call_off(session, other, concierge_user, now)
    send(other.starts_at)
    body = body_for(payer)
    assert "autre date" not in body
    assert "Voir mon inscription" in body


# -- What is true no more --------------------------------------------------------------------------

GONE_STALE = {
    "registration.confirmed": {"status": "cancelled"},
    "registration.pending": {"status": "confirmed"},
    "registration.waiting": {"status": "offered"},
    "registration.asked": {"status": "confirmed"},
    "registration.offered": {"status": "lapsed"},
    "registration.changed": {"status": "cancelled"},
    "registration.cancelled": {"status": "confirmed"},
    "registration.lapsed": {"status": "confirmed"},
    "registration.refused": {"status": "confirmed"},
    "registration.session_cancelled": {"status": "confirmed"},
    "registration.session_moved": {"status": "cancelled"},
    "registration.in_7": {"status": "cancelled"},
    "registration.tomorrow": {"status": "present"},
}


@pytest.mark.parametrize("event", CASES)
def test_what_has_become_of_it_otherwise_is_not_told(
    event: str, one: Registration, now: datetime
) -> None:
    facts = put(one, event, now)
    stand(one, **GONE_STALE[event])
    tell(one.member, event, one, key=event, now=now, facts=facts)
    assert send(at_the_time(event, now)) == Round(dropped=1)


@pytest.mark.parametrize("event", CASES)
def test_once_it_has_begun_only_what_was_called_off_is_told(
    event: str, one: Registration, now: datetime
) -> None:
    facts = put(one, event, now)
    tell(one.member, event, one, key=event, now=now, facts=facts)
    told_late = {
        "registration.cancelled",
        "registration.session_cancelled",
        "registration.lapsed",
    }
    late = Round(sent=1) if event in told_late else Round(dropped=1)
    assert send(one.starts_at) == late


def test_who_can_still_come_is_told_so_and_nobody_else(one: Registration, now: datetime) -> None:
    facts = put(one, "registration.lapsed", now)
    assert "Vous voulez encore venir" in told("registration.lapsed", one, now, **facts).body
    Message.objects.all().delete()
    body = told("registration.lapsed", one, one.starts_at, was="asked").body
    assert "L’accueil n’a pas pu répondre à votre demande à temps. Pardon." in body
    assert "Vous voulez encore venir" not in body


def test_what_lapsed_is_told_on_the_day_and_never_later(one: Registration, now: datetime) -> None:
    facts = put(one, "registration.lapsed", now)
    tell(one.member, "registration.lapsed", one, key="x", now=now, facts=facts)
    assert send(one.starts_at + timedelta(days=1)) == Round(dropped=1)


def test_a_term_for_paying_that_is_over_is_not_asked_for(one: Registration, now: datetime) -> None:
    put(one, "registration.pending", now)
    tell(one.member, "registration.pending", one, key="x", now=now)
    assert send(now + timedelta(days=2)) == Round(dropped=1)


def test_many_letters_are_loaded_at_once(
    place: Place, session: Session, now: datetime, django_assert_num_queries: Any
) -> None:
    made = [RegistrationFactory(session=session) for _ in range(3)]
    with django_assert_num_queries(1):
        found = load([one.pk for one in made])
        for one in found.values():
            assert one.session.event.title == "Atelier cuisine"
            assert one.place.name
    assert sorted(found) == sorted(one.pk for one in made)
