"""The pages of a request to artisans: who sees which, and nobody's name before a yes."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel.spans import at
from club.models import Dwelling, Member, Place, Residence
from marketplace.domain import asks, visits
from marketplace.domain.visits import Work
from marketplace.enums import Trade, VisitStatus
from marketplace.models import Partner, PartnerClosure, VisitAsk, VisitRequest
from marketplace.queries.visits import artisans_for
from marketplace.tasks import follow_visits, look_after_asks
from tests.costs import session
from tests.factories.club import MemberFactory
from tests.factories.marketplace import ArtisanFactory, PersonFactory, insured

NBSP = "\u00a0"
TOMORROW = date(2027, 3, 10)
NINE = at(TOMORROW, time(9))
NEW, MINE, THEIRS = (
    "/avantages/demande/",
    "/avantages/mes-demandes/",
    "/espace-partenaire/demandes/",
)
KEY = "k" * 43
SECRETS = ("Vandenbroeck", "Bruyères", "+33639980001", f"06{NBSP}39{NBSP}98{NBSP}00{NBSP}01")
SAID: dict[str, Any] = {
    "metier": "plomberie", "what": "Le robinet de la cuisine fuit.", "key": KEY, "widen": "on",
    "windows": ["2027-03-10.morning"], "address": "8, rue des Bruyères", "town": "Amiens",
    "phone": "06 39 98 00 01",
}  # fmt: skip


@pytest.fixture(autouse=True)
def stopped_clock(now: datetime, settings: Any) -> Iterator[Any]:
    settings.BASE_URL = "https://club.example.org"
    with time_machine.travel(now, tick=False) as clock:
        yield clock


@pytest.fixture
def samira(place: Place) -> Member:
    return MemberFactory(place=place, user__last_name="Vandenbroeck", user__phone="+33639980001")


@pytest.fixture
def artisans(place: Place, now: datetime) -> list[Partner]:
    for number in range(4):
        partner = ArtisanFactory(landlord=place.landlord, phone=f"+3332201020{number}")
        insured(partner, Trade.PLUMBING)
        PersonFactory(partner=partner)
    return list(artisans_for(place.landlord, place, Trade.PLUMBING, now.date()))


@pytest.fixture
def visit(samira: Member, artisans: list[Partner], now: datetime) -> VisitRequest:
    return visits.ask_for_visit(
        member=samira,
        work=Work(
            Trade.PLUMBING, SAID["what"], SAID["address"], "Amiens", SAID["phone"],
            ((TOMORROW, "morning"),),
        ),
        artisans=artisans[:3],
        by=samira.user,
        now=now,
    )  # fmt: skip


@pytest.fixture
def as_member(client: Client, samira: Member) -> Client:
    client.force_login(samira.user)
    return client


def as_artisan(partner: Partner) -> Client:
    client = Client()
    client.force_login(partner.people.get().user)
    return client


def of(visit: VisitRequest, number: int) -> VisitAsk:
    return visit.asks.get(rank=number)


def page_of(visit: VisitRequest) -> str:
    return f"{NEW}{visit.public_id}/"


def their_page(visit: VisitRequest) -> str:
    return f"{THEIRS}{visit.public_id}/"


def sent(now: datetime) -> list[Any]:
    """The messages that leave now."""
    before = len(mail.outbox)
    with MailAndSms() as transport:
        assert send_due(now, transport).failed == 0
    return mail.outbox[before:]


def whole(message: Any) -> str:
    attached = "".join(
        part[1] if isinstance(part[1], str) else part[1].decode() for part in message.attachments
    )
    parts = [message.subject, message.body, message.alternatives[0].content, attached]
    return "\n".join(parts).replace("\r\n ", "")


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


# -- Asking ----------------------------------------------------------------------------------


def test_the_form_knows_what_the_house_knows(
    as_member: Client, samira: Member, artisans: list[Partner]
) -> None:
    residence = Residence.objects.create(
        landlord=samira.place.landlord, code="R1", name="Les Bruyères", city="Longueau",
        address="8, rue des Bruyères",
    )  # fmt: skip
    samira.household.dwelling = Dwelling.objects.create(
        residence=residence, code="L1", floor="2", door="12"
    )
    samira.household.save()
    page = as_member.get(f"{NEW}?metier=plomberie")
    form = page.context["form"]
    assert form["address"].value() == "8, rue des Bruyères, étage 2, porte 12"
    assert form["town"].value() == "Longueau"
    assert form["phone"].value() == SECRETS[3]
    assert form["artisans"].value() == [one.public_id for one in artisans[:3]]
    assert len(page.context["days"]) == 9
    assert 'enctype="multipart/form-data"' in page.text


def test_an_artisans_own_page_leads_to_it_alone(as_member: Client, artisans: list[Partner]) -> None:
    page = as_member.get(artisans[3].get_absolute_url())
    way = f"{NEW}?metier=plomberie&amp;artisan={artisans[3].public_id}"
    assert way in page.text
    form = as_member.get(way.replace("&amp;", "&")).context["form"]
    assert form["artisans"].value() == [artisans[3].public_id]
    assert f"{NEW}?metier=plomberie" in as_member.get("/avantages/artisans/plomberie/").text


def test_who_cannot_be_asked_online_is_said(as_member: Client, artisans: list[Partner]) -> None:
    page = as_member.get(f"{NEW}?metier=plomberie&artisan=nobody")
    assert "Cet artisan ne prend pas de demande en ligne." in page.text
    assert page.context["form"]["artisans"].value() == [one.public_id for one in artisans[:3]]


def test_nobody_to_ask_says_whom_to_call(as_member: Client, samira: Member) -> None:
    page = as_member.get(f"{NEW}?metier=vitrerie")
    assert "Personne à qui demander en ligne aujourd’hui" in page.text
    assert samira.place.phone in page.text


@pytest.mark.parametrize("trade", ["", "magie"])
def test_without_a_trade_one_chooses_it_first(as_member: Client, trade: str) -> None:
    assert as_member.get(NEW, {"metier": trade})["Location"] == "/avantages/artisans/"


def test_one_form_asks_three_and_says_so(
    as_member: Client, samira: Member, artisans: list[Partner]
) -> None:
    said = SAID | {"artisans": [one.public_id for one in artisans[:3]]}
    answer = as_member.post(NEW, said)
    made = VisitRequest.objects.get()
    assert answer["Location"] == f"{page_of(made)}envoyee/"
    assert as_member.post(NEW, said)["Location"] == answer["Location"]
    assert VisitRequest.objects.count() == 1
    page = as_member.get(answer["Location"])
    for words in ["C’est envoyé", artisans[0].name, f"Mercredi 10{NBSP}mars, le matin"]:
        assert words in page.text


def refused(as_member: Client, **changes: Any) -> HttpResponse:
    page = as_member.post(NEW, SAID | changes)
    assert page.status_code == 422
    assert "Il y a un problème" in page.text
    assert not VisitRequest.objects.exists()
    return page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"what": ""}, "Dites en une phrase ce qui ne va pas."),
        ({"phone": "12"}, "Ce numéro n’existe pas. Exemple"),
        ({"windows": []}, f"Choisissez «{NBSP}Dès que possible{NBSP}», ou un à trois moments."),
        ({"soon": "on"}, "ou des moments, mais pas les deux."),
        ({"windows": ["2027-03-08.morning"]}, "Un de ces moments est passé ou trop loin."),
        ({"artisans": ["nobody"]}, "Un de ces artisans n’est plus disponible."),
        ({"artisans": []}, "Choisissez au moins un artisan."),
        ({"key": "short"}, "Cette page a vieilli."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    as_member: Client, artisans: list[Partner], changes: dict[str, Any], sentence: str
) -> None:
    page = refused(as_member, **({"artisans": [artisans[0].public_id]} | changes))
    assert sentence in page.text
    assert 'value="8, rue des Bruyères"' in page.text
    if "windows" not in changes:
        assert 'value="2027-03-10.morning" checked' in page.text


def test_a_fourth_artisan_or_moment_is_too_many(as_member: Client, artisans: list[Partner]) -> None:
    four = [one.public_id for one in artisans]
    assert "Choisissez trois artisans au plus." in refused(as_member, artisans=four).text
    days = [f"2027-03-{day}.morning" for day in (10, 11, 12, 13)]
    page = refused(as_member, artisans=four[:1], windows=days)
    assert "Choisissez trois moments au plus." in page.text


def test_a_fourth_open_request_is_refused_before_it_is_typed(
    as_member: Client, artisans: list[Partner]
) -> None:
    for number in range(3):
        said = {"artisans": [artisans[0].public_id], "key": str(number) * 43}
        assert as_member.post(NEW, SAID | said).status_code == 302
    page = as_member.get(f"{NEW}?metier=plomberie")
    assert "Vous avez déjà trois demandes en cours." in page.text
    assert "<textarea" not in page.text


# -- Who sees what ---------------------------------------------------------------------------


def addresses(visit: VisitRequest) -> list[str]:
    own, theirs = page_of(visit), their_page(visit)
    return [own, f"{own}envoyee/", f"{own}annuler/", f"{own}photo/1/", theirs, f"{theirs}photo/1/"]


def test_nobody_else_finds_it(
    client: Client, visit: VisitRequest, place: Place, artisans: list[Partner]
) -> None:
    for address in addresses(visit):
        assert client.get(address).status_code == 302, address
    others = [MemberFactory(place=place).user, artisans[3].people.get().user]
    for user in others:
        client.force_login(user)
        for address in addresses(visit):
            for ask in (client.get, client.post):
                page = ask(address)
                assert page.status_code in {403, 404, 405}, (user, address)
                assert secrets_in(page.text) == []


def test_a_baker_has_no_such_pages(client: Client, visit: VisitRequest) -> None:
    baker = PersonFactory()
    client.force_login(baker.user)
    assert client.get(THEIRS).status_code == 404
    assert client.get(their_page(visit)).status_code == 404


def test_before_yes_no_page_and_no_message_tells_who_asks(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime
) -> None:
    letters = sent(now)
    assert len(letters) == 3
    pages = [as_artisan(partner).get(THEIRS).text for partner in artisans[:3]]
    pages += [as_artisan(partner).get(their_page(visit)).text for partner in artisans[:3]]
    asks.propose(of(visit, 2), NINE + timedelta(days=1), by=as_user(visit, 2), now=now)
    asks.decline(of(visit, 3), by=as_user(visit, 3), now=now)
    pages += [as_artisan(partner).get(their_page(visit)).text for partner in artisans]
    look_after_asks(now + timedelta(hours=48))
    letters += [
        one for one in sent(now + timedelta(hours=48)) if one.to != [visit.member.user.email]
    ]
    assert len(letters) == 6
    for text in [*pages, *map(whole, letters)]:
        assert secrets_in(text) == []
    assert f"Demande de visite{NBSP}: plomberie à Amiens" == letters[0].subject
    for said in [SAID["what"], f"Mercredi 10{NBSP}mars, le matin", "/espace-partenaire/entrer/"]:
        assert said in letters[0].body


def as_user(visit: VisitRequest, number: int) -> Any:
    return of(visit, number).partner.people.get().user


def press(partner: Partner, visit: VisitRequest, **said: Any) -> HttpResponse:
    return as_artisan(partner).post(their_page(visit), said)


def test_a_yes_by_one_button_gives_each_the_others_contact(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime
) -> None:
    sent(now)
    page = as_artisan(artisans[0]).get(their_page(visit))
    hours = page.context["hours"][0]["hours"]
    assert [hour["label"] for hour in hours] == [f"{hour}{NBSP}h" for hour in (8, 9, 10, 11)]
    answer = press(artisans[0], visit, act="accept", at=hours[1]["at"])
    assert answer["Location"] == their_page(visit)
    visit.refresh_from_db()
    assert (visit.status, visit.visit_at) == (VisitStatus.AGREED, NINE)
    theirs = as_artisan(artisans[0])
    for address in (their_page(visit), THEIRS):
        text = theirs.get(address).text
        assert len(secrets_in(text)) == 4, address
        assert f"ercredi 10{NBSP}mars à 9{NBSP}h" in text
    late = as_artisan(artisans[1]).get(their_page(visit)).text
    assert "Un autre artisan a accepté. Vous n’avez rien à faire." in late
    assert secrets_in(late) == []
    own = as_member.get(page_of(visit)).text
    assert f"{artisans[0].name} vient mercredi 10{NBSP}mars à 9{NBSP}h." in own
    assert 'href="tel:' + artisans[0].phone in own
    letters = {message.to[0]: message for message in sent(now)}
    assert len(letters) == 4
    to_samira = whole(letters[visit.member.user.email])
    to_artisan = whole(letters[as_user(visit, 1).email])
    assert (
        f"Visite convenue mercredi 10{NBSP}mars à 9{NBSP}h{NBSP}: {artisans[0].name}" in to_samira
    )
    assert len(secrets_in(to_artisan)) >= 3
    for text in (to_samira, to_artisan):
        assert "DTSTART;TZID=Europe/Paris:20270310T090000" in text
    assert secrets_in(whole(letters[as_user(visit, 2).email])) == []


def test_both_agendas_strike_a_visit_that_is_called_off(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime
) -> None:
    press(artisans[0], visit, act="accept", at=NINE.isoformat())
    sent(now)
    assert "Annuler cette demande" in as_member.get(f"{page_of(visit)}annuler/").text
    answer = as_member.post(f"{page_of(visit)}annuler/")
    assert answer["Location"] == page_of(visit)
    letters = sent(now)
    assert len(letters) == 2
    for message in letters:
        text = whole(message)
        assert "STATUS:CANCELLED" in text
        assert "SEQUENCE:1" in text
        assert secrets_in(text) == [] or message.to == [visit.member.user.email]
    page = as_artisan(artisans[0]).get(their_page(visit)).text
    assert "L’habitant a annulé. Vous n’avez rien à faire." in page
    assert secrets_in(page) == []
    assert as_member.get(f"{page_of(visit)}annuler/").status_code == 302
    assert "Faire une nouvelle demande" in as_member.get(page_of(visit)).text


def test_an_artisan_proposes_and_the_member_says_yes(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime
) -> None:
    answer = press(artisans[1], visit, act="propose", day="2027-03-12", hour="14:30")
    assert answer.status_code == 302
    moment = f"vendredi 12{NBSP}mars à 14{NBSP}h{NBSP}30"
    assert f"Vous proposez {moment}" in as_artisan(artisans[1]).get(their_page(visit)).text
    page = as_member.get(page_of(visit))
    assert f"Propose {moment}." in page.text
    row = page.context["proposals"][0]
    subjects = [message.subject for message in sent(now)]
    assert f"{artisans[1].name} propose {moment}" in subjects
    said = {"act": "yes", "rank": row["ask"].rank, "at": row["at"]}
    assert as_member.post(page_of(visit), said).status_code == 302
    visit.refresh_from_db()
    assert visit.visit_at == at(date(2027, 3, 12), time(14, 30))
    again = as_member.post(page_of(visit), said)
    assert again.status_code == 422
    assert "Une visite est déjà convenue." in again.text


def test_the_member_turns_an_hour_down_and_asks_others(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime
) -> None:
    VisitRequest.objects.update(widen=False)
    press(artisans[0], visit, act="propose", day="2027-03-12", hour="14:30")
    for number in (1, 2):
        press(artisans[number], visit, act="decline")
    hour = at(date(2027, 3, 12), time(14, 30)).isoformat()
    as_member.post(page_of(visit), {"act": "no", "rank": 1, "at": hour})
    page = as_member.get(page_of(visit)).text
    assert "Aucun artisan n’est disponible." in page
    assert any("Personne n’est disponible" in message.subject for message in sent(now))
    as_member.post(page_of(visit), {"act": "others"})
    assert visit.asks.get(rank=4).partner == artisans[3]
    assert "Demander à d’autres artisans" not in as_member.get(page_of(visit)).text


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"act": "propose", "day": "", "hour": "25"}, "Écrivez le jour."),
        ({"act": "propose", "day": "2027-03-08", "hour": "9:00"}, "Choisissez une heure à venir."),
        ({"act": "come", "day": "2027-03-20", "hour": "9:00"}, "Proposez-la-lui plutôt."),
        ({"act": "accept", "at": "yesterday"}, "Cette page a vieilli."),
        ({"act": "accept", "at": "2027-03-10T14:00:00+01:00"}, "Proposez-la-lui plutôt."),
    ],
)
def test_an_answer_that_cannot_be_is_said_beside_it(
    visit: VisitRequest, artisans: list[Partner], said: dict[str, str], sentence: str
) -> None:
    page = press(artisans[0], visit, **said)
    assert page.status_code == 422
    assert sentence in page.text
    assert page.text.count('id="propose_day"') == 1


def test_as_soon_as_possible_is_answered_with_a_day_and_an_hour(
    visit: VisitRequest, artisans: list[Partner]
) -> None:
    VisitRequest.objects.update(windows=[])
    page = as_artisan(artisans[0]).get(their_page(visit))
    assert "Accepter et venir à cette heure" in page.text
    assert press(artisans[0], visit, act="come", day="2027-03-09", hour="18:00").status_code == 302
    visit.refresh_from_db()
    assert visit.visit_at == at(date(2027, 3, 9), time(18))


def test_an_artisan_gives_the_visit_back(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime
) -> None:
    press(artisans[0], visit, act="accept", at=NINE.isoformat())
    sent(now)
    assert press(artisans[0], visit, act="decline").status_code == 422
    assert press(artisans[0], visit, act="give_back").status_code == 302
    told = {message.to[0]: whole(message) for message in sent(now)}
    assert "ne peut plus venir" in told[visit.member.user.email]
    assert "STATUS:CANCELLED" in told[visit.member.user.email]
    assert secrets_in(as_artisan(artisans[0]).get(their_page(visit)).text) == []


@pytest.mark.parametrize(("act", "number"), [("yes", 9), ("no", 9), ("yes", 1)])
def test_an_answer_to_nobody_is_not_found(
    as_member: Client, visit: VisitRequest, act: str, number: int
) -> None:
    said = {"act": act, "rank": number}
    assert as_member.post(page_of(visit), said).status_code == 404


def test_an_unknown_press_shows_the_page(
    as_member: Client, visit: VisitRequest, artisans: list[Partner]
) -> None:
    assert as_member.post(page_of(visit), {"act": "x"}).status_code == 200
    assert press(artisans[0], visit, act="x").status_code == 200


# -- After the visit ---------------------------------------------------------------------------


def test_the_morning_after_is_asked_and_how_it_went_stays_private(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime,
    stopped_clock: Any,
) -> None:  # fmt: skip
    press(artisans[0], visit, act="accept", at=NINE.isoformat())
    sent(now)
    later = at(date(2027, 3, 11), time(8))
    stopped_clock.move_to(later)
    follow_visits(later)
    (letter,) = sent(later)
    assert letter.subject == (f"La visite a-t-elle eu lieu{NBSP}? Mercredi 10{NBSP}mars à 9{NBSP}h")
    assert "Oui, l’artisan est venu" in as_member.get(page_of(visit)).text
    as_member.post(page_of(visit), {"act": "came"})
    assert "Êtes-vous content de la visite" in as_member.get(page_of(visit)).text
    empty = as_member.post(page_of(visit), {"act": "say", "unhappy_for": "late"})
    assert empty.status_code == 422
    assert "Choisissez une des trois réponses." in empty.text
    said = {"act": "say", "satisfaction": "unhappy", "unhappy_for": "late"}
    assert as_member.post(page_of(visit), said).status_code == 302
    visit.refresh_from_db()
    assert (visit.status, visit.satisfaction) == (VisitStatus.DONE, "unhappy")
    theirs = as_artisan(artisans[0]).get(their_page(visit)).text
    assert "Cette visite est terminée." in theirs
    for word in ("pas content", "en retard"):
        assert word not in theirs


def test_nobody_came_closes_it_without_a_message(
    as_member: Client, visit: VisitRequest, artisans: list[Partner], now: datetime,
    stopped_clock: Any,
) -> None:  # fmt: skip
    press(artisans[0], visit, act="accept", at=NINE.isoformat())
    sent(now)
    stopped_clock.move_to(NINE + timedelta(hours=2))
    as_member.post(page_of(visit), {"act": "missed"})
    visit.refresh_from_db()
    assert visit.status == VisitStatus.CANCELLED
    assert sent(NINE + timedelta(hours=2)) == []


# -- Lists -----------------------------------------------------------------------------------


@pytest.fixture
def asked(
    samira: Member, artisans: list[Partner], now: datetime
) -> Callable[[int], list[VisitRequest]]:
    def made(number: int) -> list[VisitRequest]:
        return [
            visits.ask_for_visit(
                member=samira,
                work=Work(Trade.PLUMBING, "Fuite", "8, rue", "Amiens", "0639980001"),
                artisans=artisans[:2],
                by=samira.user,
                now=now,
            )
            for _ in range(number)
        ]

    return made


@pytest.mark.parametrize("rows", [1, 3])
def test_a_members_list_costs_the_same(
    as_member: Client, asked: Any, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    asked(rows)
    as_member.get(MINE)
    with django_assert_num_queries(4 + session()):
        page = as_member.get(MINE)
    assert len(page.context["rows"]) == rows


@pytest.mark.parametrize("rows", [1, 3])
def test_an_artisans_list_costs_the_same(
    asked: Any, artisans: list[Partner], now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries, rows: int,
) -> None:  # fmt: skip
    for made in asked(rows)[1:]:
        ask = made.asks.get(rank=1)
        asks.accept(ask, NINE, by=ask.partner.people.get().user, now=now)
    client = as_artisan(artisans[0])
    client.get(THEIRS)
    with django_assert_num_queries(6 + session()):
        page = client.get(THEIRS)
    assert len(page.context["waiting"]) + len(page.context["agreed"]) == rows


def test_empty_lists_say_what_to_do(as_member: Client, artisans: list[Partner]) -> None:
    assert "Aucune demande pour le moment" in as_member.get(MINE).text
    assert MINE in as_member.get("/mon-espace/reservations/").text
    assert "Aucune demande pour le moment" in as_artisan(artisans[0]).get(THEIRS).text


# -- An artisan's days off -------------------------------------------------------------------


def test_days_off_list_first_who_waits_and_whom_to_call(
    samira: Member, artisans: list[Partner], visit: VisitRequest
) -> None:
    press(artisans[0], visit, act="accept", at=NINE.isoformat())
    artisan, close = as_artisan(artisans[0]), reverse("pro:closure")
    call = "Appelez ces personnes : elles vous attendent."
    days = {"starts_on": TOMORROW.isoformat()}
    asked = artisan.post(close, days)
    assert asked.status_code == 200 and not PartnerClosure.objects.exists()
    for said in (call, str(samira), "10 mars à 9 h", SECRETS[3]):
        assert said in asked.text
    wrong = artisan.post(close, days | {"annuler": "0"})
    assert "Vos visites ont changé entre-temps." in wrong.text
    assert not PartnerClosure.objects.exists()
    done = artisan.post(close, days | {"annuler": asked.context["sealed"]}, follow=True)
    assert PartnerClosure.objects.count() == 1
    assert done.text.count(call) == 2 and str(samira) in done.text
    assert their_page(visit) in done.text
    other = as_artisan(artisans[1]).post(close, days, follow=True)
    assert other.redirect_chain and str(samira) not in other.text
    artisan.post(close, {"starts_on": "2027-03-15"})
    assert PartnerClosure.objects.filter(partner=artisans[0]).count() == 2
