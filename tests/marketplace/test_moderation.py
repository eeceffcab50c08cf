"""An officer's answer: to the words that were read, by the own landlord's people alone."""

from datetime import datetime
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import TaskState, WorkflowState

from club.enums import Role
from club.kernel import letters
from club.kernel.refusal import Refused
from club.models import LogEntry, Message, Place, User
from marketplace.domain import moderation, offers
from marketplace.models import Offer, PartnerPerson
from marketplace.queries.offers import asked_now, offers_shown, standings
from tests.factories.club import LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import OfferFactory, PersonFactory
from tests.marketplace.test_offers import terms
from tests.signin import sign_in_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def baker(place: Place) -> PartnerPerson:
    return PersonFactory(
        partner__landlord=place.landlord, partner__name="Le Fournil", user__email="pain@example.org"
    )


@pytest.fixture
def officer(place: Place) -> User:
    return staff(place, Role.OFFICER, "mission@example.org")


@pytest.fixture
def stranger(db: None) -> User:
    """The officer of another landlord."""
    landlord = LandlordFactory(slug="autre", name="Autre Habitat", hostname="autre.example")
    return staff(PlaceFactory(slug="ailleurs", landlord=landlord), Role.OFFICER)


@pytest.fixture
def desk(client: Client, officer: User) -> Client:
    sign_in_staff(client, officer)
    return client


def proposed(baker: PartnerPerson, now: datetime, offer: Offer | None = None, **more: Any) -> Offer:
    return offers.propose(offer, baker.partner, terms(**more), by=baker.user, now=now)


def revision_of(offer: Offer) -> int:
    found = asked_now(Offer.objects.get(pk=offer.pk))
    assert found is not None
    return int(found.pk)


def sort_for(event: str) -> letters.Sort:
    sort = letters.sort_of(event)
    assert sort is not None
    return sort


def letter_to(event: str, now: datetime) -> tuple[bool, Any]:
    """Whether the last message of that event still holds, and its words."""
    message = Message.objects.filter(event=event).latest("pk")
    sort = sort_for(event)
    offer = sort.load([message.subject_id])[message.subject_id]
    return sort.is_wanted(message, offer, now), sort.write(message, offer, now)


def events() -> list[tuple[str, str]]:
    return [
        (one.event, one.addressee.email)
        for one in Message.objects.exclude(event="partner.entry").order_by("pk")
    ]


# -- The answer ------------------------------------------------------------------------------


def test_approved_it_is_shown_and_the_partner_is_told(
    baker: PartnerPerson, officer: User, now: datetime
) -> None:
    offer = proposed(baker, now)
    moderation.approve(offer, revision_of(offer), by=officer, now=now)
    shown = offers_shown(baker.partner.landlord, now.date()).get()
    assert (shown.title, shown.percent, shown.live_revision) == (
        "Pain de campagne", 10, offer.latest_revision,
    )  # fmt: skip
    assert events() == [
        ("offer.proposed", "mission@example.org"),
        ("offer.approved", "pain@example.org"),
    ]
    holds, letter = letter_to("offer.approved", now)
    assert holds
    assert letter.subject == "Votre avantage est accepté\u00a0: Pain de campagne"
    assert "10\u00a0% de remise" in letter.text
    assert "/espace-partenaire/entrer/" in letter.link
    verbs = LogEntry.objects.filter(subject_kind="offer").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["propose", "approve"]


def test_a_refusal_says_why_and_changes_nothing(
    baker: PartnerPerson, officer: User, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    proposed(baker, now, offer, percent=50)
    moderation.turn_down(offer, revision_of(offer), " Trop long. ", by=officer, now=now)
    assert offers_shown(baker.partner.landlord, now.date()).get().percent == 10
    found = standings([Offer.objects.get()])[offer.pk]
    assert (found.refused_for, found.waits_since, found.newest["percent"]) == (
        "Trop long.", None, 50,
    )  # fmt: skip
    holds, letter = letter_to("offer.refused", now)
    assert holds
    assert "Trop long." in letter.text
    assert "50\u00a0% de remise" in letter.text
    proposed(baker, now, offer, percent=40)
    assert letter_to("offer.refused", now)[0] is False


@pytest.mark.parametrize("why", ["", "   ", "x" * 301])
def test_without_a_readable_reason_nothing_is_refused(
    baker: PartnerPerson, officer: User, now: datetime, why: str
) -> None:
    offer = proposed(baker, now)
    with pytest.raises(Refused) as caught:
        moderation.turn_down(offer, revision_of(offer), why, by=officer, now=now)
    assert [reason.field for reason in caught.value.reasons] == ["why"]
    assert asked_now(offer) is not None


@pytest.mark.parametrize("deed", ["approve", "turn_down"])
def test_a_stale_page_answers_nothing(
    baker: PartnerPerson, officer: User, now: datetime, deed: str
) -> None:
    """The officer has the page open; the partner writes anew; the officer presses."""
    offer = proposed(baker, now)
    read = revision_of(offer)
    proposed(baker, now, offer, percent=80)
    more = ("Non.",) if deed == "turn_down" else ()
    with pytest.raises(Refused) as caught:
        getattr(moderation, deed)(offer, read, *more, by=officer, now=now)
    assert caught.value.codes == ["changed_since"]
    assert not offers_shown(baker.partner.landlord, now.date()).exists()
    getattr(moderation, deed)(offer, revision_of(offer), *more, by=officer, now=now)


def test_the_other_order_what_is_written_after_the_answer_waits_anew(
    baker: PartnerPerson, officer: User, now: datetime
) -> None:
    offer = proposed(baker, now)
    moderation.approve(offer, revision_of(offer), by=officer, now=now)
    proposed(baker, now, offer, percent=80)
    assert offers_shown(baker.partner.landlord, now.date()).get().percent == 10
    assert revision_of(offer) != Offer.objects.get().live_revision_id


def test_a_page_from_before_a_replaced_and_restored_proposal_is_stale(
    baker: PartnerPerson, officer: User, now: datetime
) -> None:
    """The same words again are still another question."""
    offer = proposed(baker, now)
    read = revision_of(offer)
    proposed(baker, now, offer, percent=80)
    proposed(baker, now, offer)
    with pytest.raises(Refused) as caught:
        moderation.approve(offer, read, by=officer, now=now)
    assert caught.value.codes == ["changed_since"]


@pytest.mark.parametrize("before", ["approve", "turn_down", "take_back", "withdraw"])
def test_what_no_longer_waits_is_not_answered(
    baker: PartnerPerson, officer: User, now: datetime, before: str
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    proposed(baker, now, offer, percent=15)
    read = revision_of(offer)
    if before == "approve":
        moderation.approve(offer, read, by=officer, now=now)
    elif before == "turn_down":
        moderation.turn_down(offer, read, "Non.", by=officer, now=now)
    else:
        getattr(offers, before)(offer, by=baker.user, now=now)
    for deed in (
        lambda: moderation.approve(offer, read, by=officer, now=now),
        lambda: moderation.turn_down(offer, read, "Non.", by=officer, now=now),
    ):
        with pytest.raises(Refused) as caught:
            deed()
        assert caught.value.codes == ["not_waiting"]


def test_agreed_anew_a_withdrawn_offer_comes_back(
    baker: PartnerPerson, officer: User, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    offers.withdraw(offer, by=baker.user, now=now)
    proposed(baker, now, offer, percent=15)
    assert not offers_shown(baker.partner.landlord, now.date()).exists()
    moderation.approve(offer, revision_of(offer), by=officer, now=now)
    assert offers_shown(baker.partner.landlord, now.date()).get().percent == 15


def test_a_withdrawal_after_the_agreement_is_not_told_as_one(
    baker: PartnerPerson, officer: User, now: datetime
) -> None:
    offer = proposed(baker, now)
    moderation.approve(offer, revision_of(offer), by=officer, now=now)
    offers.withdraw(offer, by=baker.user, now=now)
    assert letter_to("offer.approved", now)[0] is False


def test_a_workflow_without_its_task_puts_nothing_on_line(
    baker: PartnerPerson, now: datetime
) -> None:
    waiting = proposed(baker, now)
    moderation.workflow().tasks.get().specific.deactivate()
    for offer in (waiting, proposed(baker, now, title="Brioche")):
        assert asked_now(offer) is not None
    assert not offers_shown(baker.partner.landlord, now.date()).exists()


# -- Who is told -----------------------------------------------------------------------------


def test_officers_of_the_landlord_are_told_once_and_of_the_newest_words(
    place: Place, baker: PartnerPerson, officer: User, stranger: User, now: datetime
) -> None:
    other = PlaceFactory(slug="bords", landlord=place.landlord)
    officer.assignments.create(place=other, role=Role.OFFICER)
    staff(place, Role.CONCIERGE)
    offer = proposed(baker, now)
    assert events() == [("offer.proposed", "mission@example.org")]
    holds, letter = letter_to("offer.proposed", now)
    assert holds
    assert letter.subject == "Avantage à relire\u00a0: Le Fournil"
    assert letter.link.endswith("/admin/avantages-a-relire/")
    proposed(baker, now, offer, percent=20)
    held = [
        sort_for("offer.proposed").is_wanted(one, offer, now)
        for one in Message.objects.filter(event="offer.proposed").order_by("pk")
    ]
    assert held == [False, True]
    assert "20\u00a0%" in letter_to("offer.proposed", now)[1].text


def test_wagtail_sends_no_letters_of_its_own(
    baker: PartnerPerson, officer: User, now: datetime
) -> None:
    User.objects.create_superuser("root", "root@example.org", "x")
    offer = proposed(baker, now)
    moderation.turn_down(offer, revision_of(offer), "Non.", by=officer, now=now)
    proposed(baker, now, offer, percent=12)
    moderation.approve(offer, revision_of(offer), by=officer, now=now)
    assert mail.outbox == []


# -- The officer's page ----------------------------------------------------------------------


def test_before_and_after_stand_side_by_side(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    proposed(baker, now, offer, percent=15, limit_count=2, limit_per="month")
    page = desk.get(reverse("partner-offers"))
    (one,) = page.context["asked"]
    changed = {line.name: (line.before.text, line.after.text) for line in one.lines if line.differs}
    assert changed == {
        "Ce que donne la carte": ("10\u00a0% de remise", "15\u00a0% de remise"),
        "Limite": ("aucune", "2 fois par mois."),
    }
    assert "Le Fournil" in page.text
    menu = desk.get(reverse("wagtailadmin_home")).text
    assert "Avantages à relire (1)" in menu.encode().decode("unicode_escape", "ignore") or (
        "relire (1)" in menu
    )


def test_the_officer_answers_from_the_page(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    offer = proposed(baker, now)
    url = reverse("partner-offer", args=[offer.pk])
    unsaid = desk.post(url, {"revision": revision_of(offer), "refuser": "1", "why": ""})
    assert unsaid.status_code == 422
    assert "Dites pourquoi" in unsaid.text
    refused = desk.post(url, {"revision": revision_of(offer), "refuser": "1", "why": "Trop long."})
    assert refused.status_code == 302
    assert TaskState.objects.get(status="rejected").comment == "Trop long."
    proposed(baker, now, offer, percent=12)
    accepted = desk.post(url, {"revision": revision_of(offer), "accepter": "1"})
    assert accepted.status_code == 302
    assert Offer.objects.get().live


def test_a_stale_tab_is_told_and_shown_the_new_words(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    offer = proposed(baker, now)
    url, read = reverse("partner-offer", args=[offer.pk]), revision_of(offer)
    proposed(baker, now, offer, percent=80)
    page = desk.post(url, {"revision": read, "accepter": "1"})
    assert page.status_code == 422
    assert "modifié entre-temps" in page.text
    (one,) = page.context["asked"]
    assert one.form["revision"].value() == str(revision_of(offer))
    offers.take_back(offer, by=baker.user, now=now)
    gone = desk.post(url, {"revision": read, "accepter": "1"})
    assert "n’attend plus de réponse" in gone.text
    assert not Offer.objects.get().live


def test_the_page_costs_the_same_however_many_wait(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    costs = []
    for number in range(3):
        proposed(baker, now, title=f"Pain {number}")
        desk.get(reverse("partner-offers"))
        with CaptureQueriesContext(connection) as statements:
            page = desk.get(reverse("partner-offers"))
        assert len(page.context["asked"]) == number + 1
        costs.append(len(statements))
    assert costs == costs[:1] * 3
    assert costs[0] <= 20


# -- Wagtail's own screens -------------------------------------------------------------------

VIEWS = (
    "edit", "delete", "inspect", "history", "usage", "unpublish", "lock", "unlock",
    "workflow_history", "confirm_workflow_cancellation", "history_results",
)  # fmt: skip


def addresses(offer: Offer) -> list[str]:
    revision = revision_of(offer)
    state = WorkflowState.objects.get(status="in_progress")
    task = state.current_task_state.pk
    return [
        *(reverse(f"offer:{name}", args=[offer.pk]) for name in VIEWS),
        reverse("offer:revisions_compare", args=[offer.pk, "live", revision]),
        reverse("offer:revisions_revert", args=[offer.pk, revision]),
        reverse("offer:revisions_unschedule", args=[offer.pk, revision]),
        reverse("offer:workflow_history_detail", args=[offer.pk, state.pk]),
        *(
            reverse(f"offer:{name}", args=[offer.pk, action, task])
            for name in ("workflow_action", "collect_workflow_action_data")
            for action in ("approve", "reject")
        ),
        reverse("offer:step", args=[offer.pk, "retirer"]),
        reverse("partner-offer", args=[offer.pk]),
    ]


def test_another_landlord_s_officer_finds_nothing_and_does_nothing(
    client: Client, baker: PartnerPerson, stranger: User, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    proposed(baker, now, offer, title="Secret du fournil")
    sign_in_staff(client, stranger)
    for address in addresses(offer):
        for method in (client.get, client.post):
            answer = method(address, {"revision": revision_of(offer), "accepter": "1"})
            assert answer.status_code in {404, 405}, address
    for name in ("partner-offers", "offer:list", "wagtailadmin_home"):
        page = client.get(reverse(name))
        assert page.status_code == 200
        assert "fournil" not in page.text.lower()
    for name in ("workflow", "workflow_tasks", "site_history"):
        assert client.get(reverse(f"wagtailadmin_reports:{name}")).status_code in {302, 403}
    ping = reverse("wagtailadmin_editing_sessions:ping", args=["marketplace", "offer", offer.pk, 1])
    assert client.post(ping).status_code == 404
    assert Offer.objects.get().title == "Pain de campagne"


def test_an_officer_opens_each_of_wagtail_s_screens(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    proposed(baker, now, offer, title="Pain bis")
    for address in addresses(offer)[:-1]:
        answer = desk.get(address)
        assert answer.status_code in {200, 302, 403, 405}, address
    home = desk.get(reverse("wagtailadmin_home")).text
    assert "Pain bis" in home
    page = desk.get(reverse("offer:edit", args=[offer.pk])).text
    assert "action-publish" not in page
    assert "Proposer, puis relire" in page


@pytest.mark.parametrize("role", [Role.CONCIERGE, Role.EDITOR])
def test_others_at_the_place_answer_nothing(
    client: Client, place: Place, baker: PartnerPerson, now: datetime, role: str
) -> None:
    offer = proposed(baker, now)
    sign_in_staff(client, staff(place, role))
    url = reverse("partner-offer", args=[offer.pk])
    assert client.post(url, {"revision": revision_of(offer), "accepter": "1"}).status_code in {
        302, 403,
    }  # fmt: skip
    task = TaskState.objects.get().pk
    client.post(reverse("offer:workflow_action", args=[offer.pk, "approve", task]))
    assert not Offer.objects.get().live


def test_wagtail_s_own_button_answers_the_task_that_it_bears(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    offer = proposed(baker, now)
    stale = TaskState.objects.get().pk
    proposed(baker, now, offer, percent=80)
    desk.post(reverse("offer:workflow_action", args=[offer.pk, "approve", stale]))
    assert not Offer.objects.get().live
    fresh = TaskState.objects.get(status="in_progress").pk
    refuse = reverse("offer:workflow_action", args=[offer.pk, "reject", fresh])
    desk.post(refuse, {"comment": ""})
    assert asked_now(offer) is not None
    desk.post(refuse, {"comment": "Trop."})
    assert standings([Offer.objects.get()])[offer.pk].refused_for == "Trop."
    proposed(baker, now, offer, percent=12)
    fresh = TaskState.objects.get(status="in_progress").pk
    desk.post(reverse("offer:workflow_action", args=[offer.pk, "approve", fresh]))
    assert Offer.objects.get().percent == 12
    assert Offer.objects.get().live
    assert events()[-1] == ("offer.approved", "pain@example.org")


def test_an_officer_takes_an_offer_away_and_returns_it(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    edit = reverse("offer:edit", args=[offer.pk])
    take, give = (reverse("offer:step", args=[offer.pk, name]) for name in ("retirer", "remettre"))
    assert take in desk.get(edit).text
    desk.post(take)
    assert not offers_shown(baker.partner.landlord, now.date()).exists()
    assert standings([Offer.objects.get()])[offer.pk].by_team
    assert give in desk.get(edit).text
    desk.post(give)
    assert offers_shown(baker.partner.landlord, now.date()).exists()
    desk.post(reverse("offer:unpublish", args=[offer.pk]))
    assert Offer.objects.get().live
    assert Offer.objects.get().withdrawn_on is not None


def admin_data(offer: Offer, **more: Any) -> dict[str, Any]:
    return {
        "partner": offer.partner_id, "title": "Pain noir", "kind": "amount", "amount_cents": "1,10",
        "starts_on": "2027-03-09", "conditions": "",
    } | more  # fmt: skip


def test_what_an_officer_writes_in_wagtail_is_read_before_it_is_shown(
    desk: Client, baker: PartnerPerson, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    for sent in ({"action-publish": "1"}, {"action-submit": "1"}, {}):
        answer = desk.post(
            reverse("offer:edit", args=[offer.pk]),
            admin_data(offer, title=f"Pain {sent}"[:60], **sent),
        )
        assert answer.status_code == 302
        assert answer["Location"] == reverse("partner-offers")
    assert offers_shown(baker.partner.landlord, now.date()).get().title == "Pain de campagne"
    waiting = asked_now(offer)
    assert waiting and waiting.content["amount_cents"] == 110
    added = desk.post(reverse("offer:add"), admin_data(offer))
    assert added.status_code == 302
    assert Offer.objects.filter(live=False).count() == 1
    wrong = desk.post(reverse("offer:add"), admin_data(offer, amount_cents="beaucoup"))
    assert list(wrong.context["form"].errors) == ["amount_cents"]
