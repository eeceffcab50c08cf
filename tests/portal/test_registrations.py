"""A registration in Mon espace: its page through both doors, every act, what is told."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from club.domain.receipts import take_payment
from club.kernel.invariants import all_invariants
from club.kernel.links import booking_path
from club.kernel.purchases import due_of
from club.models import LogEntry, Member, Place, User
from events.domain.changes import cancel_sessions, plan_cancellation
from events.domain.registrations import accept, cancel, lapse, register
from events.enums import CancelReason, RegistrationStatus
from events.models import Participant, Registration, Session
from tests.factories.club import MemberFactory
from tests.factories.concierge import CopyFactory, LoanFactory
from tests.factories.events import RegistrationFactory, SessionFactory, make_event
from tests.factories.money import TillDayFactory

ACTS = ["", "changer/", "places/", "accepter/", "annuler/", "prolonger/", "agenda.ics"]
PRICED = {"price_cents": 300, "member_price_cents": 300}


def page_of(registration: Registration, act: str = "") -> str:
    return f"/mon-espace/reservations/{registration.reference}/{act}"


def said(answer: Any) -> str:
    return str(answer.text).replace("\xa0", " ")


def unbroken() -> None:
    assert [line for one in all_invariants() for line in one.violations()] == []


@pytest.fixture
def session(place: Place) -> Session:
    return SessionFactory(place=place, room="Salle Balzac")


@pytest.fixture
def mine(member: Member, session: Session, now: datetime) -> Registration:
    """Samira's three places, in a week."""
    return register(member=member, session=session, quantity=3, by=member.user, now=now)


@pytest.fixture(params=["session", "link"])
def door(
    request: pytest.FixtureRequest, client: Client, member: Member
) -> Callable[[Registration], str]:
    """The address of a page for somebody who may: signed in, or with the link."""
    if request.param == "session":
        client.force_login(member.user)
        return page_of
    return lambda registration: booking_path(registration.reference)


@pytest.fixture
def full(place: Place, other_member: Member, now: datetime) -> Session:
    """Four places, which another family has."""
    session = SessionFactory(place=place, capacity=4)
    register(member=other_member, session=session, quantity=4, by=other_member.user, now=now)
    return session


def wait(member: Member, session: Session, now: datetime, **more: Any) -> Registration:
    more.setdefault("quantity", 3)
    return register(member=member, session=session, by=member.user, now=now, waits=True, **more)


@pytest.fixture
def waiting(member: Member, full: Session, now: datetime) -> Registration:
    return wait(member, full, now)


@pytest.fixture
def offered(waiting: Registration, full: Session, other_member: Member, now: datetime) -> Any:
    cancel(full.registrations.get(member=other_member), by=other_member.user, now=now)
    waiting.refresh_from_db()
    assert waiting.status == RegistrationStatus.OFFERED
    return waiting


# -- Places that are held ----------------------------------------------------------------


def test_the_ticket_says_what_when_where_and_what_can_be_done(
    client: Client, door: Callable[..., str], mine: Registration
) -> None:
    page = client.get(door(mine))
    assert page.status_code == 200
    assert page.context["acts"] == {"move", "quantity", "cancel"}
    for words in (
        "Mon inscription : Atelier cuisine",
        "Mardi 16 mars",
        "Salle Balzac",
        "3 places",
        "Vos places sont sûres. Montrez ce code à l’entrée.",
        "Changer de date",
        "Changer le nombre de places",
        "Annuler mon inscription",
        "Ajouter à mon agenda",
        "<svg",
    ):
        assert words in said(page)
    assert "no-store" in page["Cache-Control"]


def test_the_names_that_were_given_are_on_the_ticket(signed_in: Client, mine: Registration) -> None:
    Participant.objects.create(registration=mine, name="Inès Benali", age=8)
    assert "Inès Benali" in said(signed_in.get(page_of(mine)))


def test_another_number_of_places(
    client: Client, door: Callable[..., str], mine: Registration, session: Session
) -> None:
    page = client.get(door(mine) + "places/")
    assert "Pour le moment, vous avez 3 places." in said(page)
    assert 'value="3"' in page.text
    answer = client.post(door(mine) + "places/", {"quantity": "5"})
    assert answer["Location"] == door(mine)
    assert "C’est changé. Vous avez 5 places." in said(client.get(door(mine)))
    client.post(door(mine) + "places/", {"quantity": "2"})
    mine.refresh_from_db()
    session.refresh_from_db()
    assert (mine.quantity, session.booked) == (2, 2)
    unbroken()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Écrivez un nombre."),
        ("beaucoup", "Écrivez un nombre."),
        ("0", "On prend de 1 à 20 places."),
        ("-3", "On prend de 1 à 20 places."),
        ("21", "On prend de 1 à 20 places."),
        ("1e3", "Écrivez un nombre."),
        ("13", "Cette séance a 12 places en tout."),
    ],
)
def test_an_odd_number_is_refused_and_kept(
    signed_in: Client, mine: Registration, typed: str, words: str
) -> None:
    answer = signed_in.post(page_of(mine, "places/"), {"quantity": typed})
    assert answer.status_code == 422
    assert words in said(answer)
    assert "<title>Erreur" in answer.text
    mine.refresh_from_db()
    assert mine.quantity == 3


def test_more_places_than_are_left_says_how_many(
    signed_in: Client, mine: Registration, session: Session, other_member: Member, now: datetime
) -> None:
    register(member=other_member, session=session, quantity=8, by=other_member.user, now=now)
    answer = signed_in.post(page_of(mine, "places/"), {"quantity": "6"})
    assert answer.status_code == 422
    assert "Il reste une seule place." in said(answer)


def test_another_date_by_one_press(
    client: Client, door: Callable[..., str], mine: Registration, session: Session, place: Place
) -> None:
    event = session.event
    later = SessionFactory(place=place, event=event, in_days=14)
    SessionFactory(place=place, event=event, in_days=21, capacity=2)
    SessionFactory(place=place, event=event, in_days=28, status="cancelled")
    SessionFactory(place=place, event=event, in_days=-7)
    SessionFactory(place=place, event=make_event(place, title="Autre"), in_days=14)
    page = client.get(door(mine) + "changer/")
    assert [button.value for button in page.context["buttons"]] == [later.public_id]
    assert "Atelier cuisine : pour le moment, mardi 16 mars à 10 h" in said(page)
    more = client.get(door(mine) + "changer/?jours=plus").context["buttons"]
    assert [(button.value, button.taken) for button in more] == [
        (later.public_id, False),
        ("", True),
    ]
    answer = client.post(door(mine) + "changer/", {"slot": later.public_id})
    assert answer["Location"] == door(mine)
    mine.refresh_from_db()
    assert mine.session == later
    assert "C’est changé. Venez mardi 23 mars" in said(client.get(door(mine)))
    unbroken()


def test_without_another_date_one_is_told(signed_in: Client, mine: Registration) -> None:
    page = signed_in.get(page_of(mine, "changer/"))
    assert "Aucune autre date n’a assez de places." in said(page)


@pytest.mark.parametrize("slot", ["", "x", "x" * 13, "\x00", "2027-03-10", "AAAAAAAAAA"])
def test_a_date_that_is_none_changes_nothing(
    signed_in: Client, mine: Registration, session: Session, slot: str
) -> None:
    answer = signed_in.post(page_of(mine, "changer/"), {"slot": slot})
    assert answer.status_code == 422
    assert "Il y a un problème" in answer.text
    mine.refresh_from_db()
    assert mine.session == session


def test_a_date_that_filled_meanwhile_is_refused_with_the_others(
    signed_in: Client,
    mine: Registration,
    session: Session,
    place: Place,
    other_member: Member,
    now: datetime,
) -> None:
    later = SessionFactory(place=place, event=session.event, in_days=14)
    last = SessionFactory(place=place, event=session.event, in_days=21)
    register(member=other_member, session=later, quantity=11, by=other_member.user, now=now)
    answer = signed_in.post(page_of(mine, "changer/"), {"slot": later.public_id})
    assert answer.status_code == 422
    assert "Il reste une seule place." in said(answer)
    assert [button.value for button in answer.context["buttons"]] == [last.public_id]
    unbroken()


def test_cancelling_is_asked_once_more(
    client: Client, door: Callable[..., str], mine: Registration, session: Session
) -> None:
    page = client.get(door(mine) + "annuler/")
    for words in (
        "Annuler cette inscription ?",
        "Vos places iront tout de suite aux personnes suivantes.",
        "Garder mon inscription",
    ):
        assert words in said(page)
    client.post(door(mine) + "annuler/")
    again = client.post(door(mine) + "annuler/")
    assert again.status_code == 422
    assert "ne peut plus changer" in said(again)
    session.refresh_from_db()
    assert session.booked == 0
    page = client.get(door(mine))
    assert page.context["acts"] == set()
    assert "Cette inscription est annulée." in said(page)
    for act in ("changer/", "places/", "annuler/", "accepter/", "prolonger/"):
        assert client.get(door(mine) + act)["Location"] == door(mine)
    assert client.post(door(mine) + "places/", {"quantity": "1"}).status_code == 422
    unbroken()


def test_two_tabs_the_second_is_told_what_happened(
    signed_in: Client, mine: Registration, place: Place, session: Session
) -> None:
    """One tab cancelled; the other's form of places, of dates and of yes is refused."""
    later = SessionFactory(place=place, event=session.event, in_days=14)
    cancel(mine, by=mine.member.user, now=session.changed_at)
    posts = {
        "places/": {"quantity": "2"},
        "changer/": {"slot": later.public_id},
        "accepter/": {},
        "prolonger/": {},
    }
    for act, data in posts.items():
        answer = signed_in.post(page_of(mine, act), data)
        assert answer.status_code == 422
        assert "Cette inscription est annulée." in said(answer)
    mine.refresh_from_db()
    assert mine.status == RegistrationStatus.CANCELLED


def test_once_it_has_begun_nothing_changes_and_the_code_still_opens(
    signed_in: Client, mine: Registration, clock: time_machine.Traveller
) -> None:
    clock.move_to(mine.starts_at)
    page = signed_in.get(page_of(mine))
    assert page.context["acts"] == set()
    assert "La séance a commencé." in said(page)
    assert "<svg" in page.text and page.context["code"]
    answer = signed_in.post(page_of(mine, "annuler/"))
    assert answer.status_code == 422
    assert "La séance a commencé. Parlez-en à l’accueil." in said(answer)
    clock.move_to(mine.ends_at)
    assert "Cette séance est passée." in said(signed_in.get(page_of(mine)))
    assert signed_in.get("/mon-espace/reservations/").context["open"] == []


def test_what_a_loan_knows_a_registration_refuses_in_words(
    signed_in: Client, mine: Registration, member: Member, place: Place
) -> None:
    assert signed_in.post(page_of(mine, "prolonger/")).status_code == 422
    loan = LoanFactory(copy=CopyFactory(place=place), member=member)
    for act, data in (("places/", {"quantity": "2"}), ("accepter/", {})):
        answer = signed_in.post(f"/mon-espace/reservations/{loan.reference}/{act}", data)
        assert answer.status_code == 422
        assert "Ce n’est pas possible pour cette réservation." in said(answer)
    assert signed_in.post(f"/mon-espace/reservations/{loan.reference}/places/").status_code == 302


# -- Waiting and offers --------------------------------------------------------------------


def test_the_turn_and_the_rule_in_words(
    client: Client,
    door: Callable[..., str],
    waiting: Registration,
    full: Session,
    clock: time_machine.Traveller,
) -> None:
    page = said(client.get(door(waiting)))
    assert "Vous êtes en tête de la liste d’attente, pour 3 places." in page
    assert "Dès que 3 places sont libres ensemble, nous vous les proposons." in page
    assert "Qui attend moins de places peut passer. Vous gardez votre tour." in page
    assert "Après mardi 16 mars à 7 h" in page
    Registration.objects.filter(pk=waiting.pk).update(queued_at=waiting.queued_at)
    clock.move_to(full.starts_at - timedelta(hours=3))
    assert "Une place libre va maintenant à qui vient" in said(client.get(door(waiting)))


def test_behind_others_one_reads_the_rank(
    signed_in: Client, member: Member, full: Session, now: datetime
) -> None:
    first = MemberFactory(place=full.place)
    wait(first, full, now)
    second = wait(member, full, now, quantity=2, fewer_ok=True)
    page = said(signed_in.get(page_of(second)))
    assert "Vous êtes au rang 2 de la liste, pour 2 places." in page
    assert "S’il y en a moins, nous vous proposons ce qui reste." in page


def test_asking_for_fewer_keeps_the_turn_and_may_be_offered_at_once(
    client: Client,
    door: Callable[..., str],
    waiting: Registration,
    full: Session,
    other_member: Member,
    now: datetime,
) -> None:
    behind = wait(MemberFactory(place=full.place), full, now, quantity=1)
    assert "vous gardez votre tour" in said(client.get(door(waiting) + "places/"))
    client.post(door(waiting) + "places/", {"quantity": "2"})
    waiting.refresh_from_db()
    assert (waiting.quantity, waiting.wanted) == (2, 2)
    assert waiting.queued_at < behind.queued_at or waiting.pk < behind.pk
    assert "Vous attendez 2 places." in said(client.get(door(waiting)))
    client.post(door(waiting) + "places/", {"quantity": "4"})
    waiting.refresh_from_db()
    assert waiting.quantity == 4
    unbroken()


def test_leaving_the_list(client: Client, door: Callable[..., str], waiting: Registration) -> None:
    page = client.get(door(waiting) + "annuler/")
    assert "Quitter la liste d’attente ?" in said(page)
    assert "Votre tour sera perdu." in said(page)
    client.post(door(waiting) + "annuler/")
    waiting.refresh_from_db()
    assert waiting.status == RegistrationStatus.CANCELLED
    assert "Vous n’êtes plus sur la liste d’attente." in said(client.get(door(waiting)))


def test_an_offer_is_taken_by_one_press_and_once(
    client: Client, door: Callable[..., str], offered: Registration, full: Session
) -> None:
    page = client.get(door(offered))
    assert page.context["acts"] == {"accept", "quantity", "cancel"}
    for words in (
        "3 places sont gardées pour vous, jusqu’au mercredi 10 mars à 20 h.",
        "Prendre mes 3 places",
        "En prendre moins",
        "Laisser ces places",
    ):
        assert words in said(page)
    answer = client.post(door(offered) + "accepter/")
    assert answer["Location"] == door(offered)
    assert "3 places à votre nom." in said(client.get(door(offered)))
    assert client.post(door(offered) + "accepter/").status_code == 302
    offered.refresh_from_db()
    full.refresh_from_db()
    assert (offered.status, full.booked) == (RegistrationStatus.CONFIRMED, 3)
    assert LogEntry.objects.filter(verb="accept").get().actor == offered.member.user
    unbroken()


def test_fewer_than_offered_the_rest_goes_on(
    client: Client,
    door: Callable[..., str],
    offered: Registration,
    full: Session,
    now: datetime,
) -> None:
    following = wait(MemberFactory(place=full.place), full, now, quantity=2)
    too_many = client.post(door(offered) + "places/", {"quantity": "4"})
    assert too_many.status_code == 422
    assert "On vous propose 3 places. Prenez-en autant, ou moins." in said(too_many)
    assert "Prendre ces places" in said(client.get(door(offered) + "places/"))
    assert client.post(door(offered) + "places/", {"quantity": "2"}).status_code == 302
    offered.refresh_from_db()
    following.refresh_from_db()
    assert (offered.status, offered.quantity) == (RegistrationStatus.CONFIRMED, 2)
    assert following.status == RegistrationStatus.OFFERED
    unbroken()


def test_letting_an_offer_go(
    client: Client, door: Callable[..., str], offered: Registration, full: Session
) -> None:
    assert "Laisser ces places ?" in said(client.get(door(offered) + "annuler/"))
    client.post(door(offered) + "annuler/")
    offered.refresh_from_db()
    full.refresh_from_db()
    assert (offered.status, full.booked) == (RegistrationStatus.CANCELLED, 0)


@pytest.mark.parametrize("lapsed", [False, True])
def test_an_answer_that_comes_too_late_is_told(
    client: Client,
    door: Callable[..., str],
    offered: Registration,
    clock: time_machine.Traveller,
    lapsed: bool,
) -> None:
    """Before the worker came by, and after."""
    assert offered.offer_ends_at is not None
    clock.move_to(offered.offer_ends_at)
    if lapsed:
        lapse(offered, now=offered.offer_ends_at)
    for act, data in (("accepter/", {}), ("places/", {"quantity": "1"})):
        answer = client.post(door(offered) + act, data)
        assert answer.status_code == 422
        assert answer.context["acts"] == set()
        assert "Il y a un problème" in answer.text
    offered.refresh_from_db()
    assert offered.status != RegistrationStatus.CONFIRMED


# -- Money ---------------------------------------------------------------------------------


@pytest.fixture
def unpaid(member: Member, place: Place, now: datetime) -> Registration:
    session = SessionFactory(place=place, **PRICED)
    return register(member=member, session=session, quantity=2, by=member.user, now=now)


@pytest.mark.parametrize("keys", [False, True])
def test_what_is_to_pay_and_how(
    client: Client, door: Callable[..., str], unpaid: Registration, settings: Any, keys: bool
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_1" if keys else ""
    page = client.get(door(unpaid))
    link = f"/mon-espace/payer/registration/{unpaid.pk}/"
    assert (link in page.text) is keys
    assert "avant jeudi 11 mars à 10 h" in said(page)
    assert "à l’accueil, en espèces ou par chèque." in said(page)
    assert page.context["code"] == ""


def test_paying_on_line_asks_to_sign_in(
    client: Client, unpaid: Registration, settings: Any, other_member: Member
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    link = f"/mon-espace/payer/registration/{unpaid.pk}/"
    assert client.get(link)["Location"].startswith(reverse("account_login"))
    client.force_login(other_member.user)
    assert client.get(link).status_code == 404
    client.force_login(unpaid.member.user)
    page = client.get(link)
    assert "Payer 6 €" in said(page)
    assert "Par carte bancaire, sur la page sûre de Stripe." in said(page)
    assert page_of(unpaid) in page.text


def test_a_neighbour_of_the_household_may_pay_and_does_not_see_it(
    client: Client, unpaid: Registration, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    partner = MemberFactory(place=unpaid.place, household=unpaid.member.household)
    client.force_login(partner.user)
    page = client.get(f"/mon-espace/payer/registration/{unpaid.pk}/")
    assert page.status_code == 200
    assert page_of(unpaid) not in page.text
    assert client.get(page_of(unpaid)).status_code == 404


def test_before_cancelling_the_money_is_told(
    client: Client,
    door: Callable[..., str],
    unpaid: Registration,
    clock: time_machine.Traveller,
    till: Any,
    concierge_user: User,
    now: datetime,
) -> None:
    assert "Vous n’aurez rien à payer." in said(client.get(door(unpaid) + "annuler/"))
    till(unpaid)
    page = client.get(door(unpaid))
    assert "Si vous annulez avant lundi 15 mars à 10 h" in said(page)
    asked = said(client.get(door(unpaid) + "annuler/"))
    assert "6 € vous seront rendus à l’accueil." in asked
    clock.move_to(unpaid.starts_at - timedelta(hours=23))
    late = said(client.get(door(unpaid) + "annuler/"))
    assert "C’est trop tard pour un remboursement." in late
    clock.move_to(now)
    client.post(door(unpaid) + "annuler/")
    after = said(client.get(door(unpaid)))
    assert "C’est annulé. Nous vous devons 6 € : passez à l’accueil." in after
    unbroken()


@pytest.fixture
def till(place: Place, concierge_user: User, now: datetime) -> Callable[[Registration], None]:
    TillDayFactory(place=place)

    def pay(registration: Registration) -> None:
        take_payment(
            member=registration.member,
            place=place,
            lines=due_of(registration.member.household, now),
            means="cash",
            by=concierge_user,
            now=now,
        )

    return pay


def test_an_offer_that_costs_is_then_to_pay(
    client: Client,
    door: Callable[..., str],
    place: Place,
    member: Member,
    other_member: Member,
    now: datetime,
) -> None:
    session = SessionFactory(place=place, capacity=2, **PRICED)
    held = register(member=other_member, session=session, quantity=2, by=member.user, now=now)
    turn = wait(member, session, now, quantity=1)
    cancel(held, by=other_member.user, now=now)
    turn.refresh_from_db()
    assert client.get(door(turn)).context["acts"] == {"accept", "cancel"}
    client.post(door(turn) + "accepter/")
    page = said(client.get(door(turn)))
    assert "Vos places sont gardées. Payez avant jeudi 11 mars à 10 h" in page
    unbroken()


# -- A session that does not take place ------------------------------------------------------


@pytest.mark.parametrize("with_other", [False, True])
def test_a_cancelled_session_says_so_and_leads_on(
    client: Client,
    door: Callable[..., str],
    mine: Registration,
    session: Session,
    place: Place,
    concierge_user: User,
    now: datetime,
    with_other: bool,
) -> None:
    other = SessionFactory(place=place, event=session.event, in_days=14) if with_other else None
    plan = plan_cancellation([session], instead=other, now=now)
    cancel_sessions(
        [session],
        reason=CancelReason.ILLNESS,
        instead=other,
        seal=plan.seal,
        by=concierge_user,
        now=now,
    )
    page = client.get(door(mine))
    assert "Cette séance est annulée : l’animateur est absent." in said(page)
    assert page.context["acts"] == set()
    if other is None:
        assert page.context["onward"]["url"] == reverse("events:programme")
        return
    assert "Une autre date est proposée : mardi 23 mars" in said(page)
    there = Registration.objects.get(session=other)
    assert page.context["onward"]["url"] == page_of(there)
    accept(there, by=there.member.user, now=now)
    unbroken()


# -- Lists, the reminder, agendas -----------------------------------------------------------


def test_the_offer_comes_first_after_what_is_late(
    signed_in: Client, member: Member, offered: Registration, place: Place, now: datetime
) -> None:
    LoanFactory(
        copy=CopyFactory(place=place), member=member, status="out",
        starts_at=now - timedelta(days=7),
    )  # fmt: skip
    page = signed_in.get("/mon-espace/")
    assert page.context["reminder"]["title"] == "Atelier cuisine"
    assert "3 places proposées, à prendre avant" in said(page)
    assert "mercredi 10 mars à 20 h" in said(page)
    LoanFactory(
        copy=CopyFactory(place=place, tool__name="Sono"), member=member, status="out",
        starts_at=now - timedelta(days=10),
    )  # fmt: skip
    assert signed_in.get("/mon-espace/").context["reminder"]["title"] == "Sono"


def test_the_list_offers_the_acts_of_each(
    signed_in: Client, offered: Registration, mine: Registration
) -> None:
    page = signed_in.get("/mon-espace/reservations/")
    assert page_of(offered, "accepter/") in page.text
    assert page_of(mine, "changer/") in page.text
    assert page_of(offered, "changer/") not in page.text


def test_a_long_list_costs_no_more(signed_in: Client, member: Member, place: Place) -> None:
    def add(number: int) -> None:
        event = make_event(place, title="Atelier", slug=None)
        for _ in range(number):
            RegistrationFactory(
                session=SessionFactory(place=place, event=event, **PRICED),
                member=member,
                status=RegistrationStatus.PENDING,
                unit_cents=300,
            )

    add(3)
    signed_in.get("/mon-espace/reservations/")
    with CaptureQueriesContext(connection) as few:
        signed_in.get("/mon-espace/reservations/")
    add(20)
    with CaptureQueriesContext(connection) as many:
        page = signed_in.get("/mon-espace/reservations/")
    assert len(page.context["open"]) == 23
    assert len(many) == len(few)


def events_of(body: bytes) -> dict[str, Any]:
    found = icalendar.Calendar.from_ical(body).walk("VEVENT")
    return {str(event["SUMMARY"]): event for event in found}


def test_agendas_show_what_is_sure_what_waits_and_what_is_cancelled(
    client: Client, door: Callable[..., str], mine: Registration, waiting: Registration,
    member: Member, now: datetime,
) -> None:  # fmt: skip
    feed = f"/mon-espace/agenda/{member.feed_token}.ics"
    found = events_of(client.get(feed).content)
    assert sorted(found) == ["Atelier cuisine", "En attente : Atelier cuisine"]
    assert found["Atelier cuisine"]["STATUS"] == "CONFIRMED"
    assert found["Atelier cuisine"].start == mine.starts_at
    one = events_of(client.get(door(mine) + "agenda.ics").content)
    assert str(one["Atelier cuisine"]["UID"]) == f"{mine.reference}@conciergerie"
    before = one["Atelier cuisine"]["SEQUENCE"]
    cancel(mine, by=member.user, now=now)
    found = events_of(client.get(feed).content)
    assert found["Atelier cuisine"]["STATUS"] == "CANCELLED"
    assert found["Atelier cuisine"]["SEQUENCE"] > before


# -- Somebody else's -------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_s_reference_does_not_exist(
    client: Client, other_member: Member, mine: Registration, act: str, method: str
) -> None:
    client.force_login(other_member.user)
    data = {"quantity": "1", "slot": mine.session.public_id}
    answer = getattr(client, method)(page_of(mine, act), data)
    assert answer.status_code == (405 if method == "post" and act in {"", "agenda.ics"} else 404)
    mine.refresh_from_db()
    assert (mine.status, mine.quantity, mine.sequence) == (RegistrationStatus.CONFIRMED, 3, 0)


@pytest.mark.parametrize("act", ACTS)
def test_a_visitor_signs_in_first(client: Client, mine: Registration, act: str) -> None:
    assert client.get(page_of(mine, act))["Location"].startswith(reverse("account_login"))


def test_the_link_opens_its_registration_alone(
    client: Client, mine: Registration, waiting: Registration
) -> None:
    assert client.get(booking_path(mine.reference)).status_code == 200
    assert client.get(page_of(waiting))["Location"].startswith(reverse("account_login"))
