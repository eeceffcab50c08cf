"""Taking money at the counter: what is due, at the price that was told, once."""

from datetime import date

import pytest
import time_machine
from django.test import Client

from club.domain.ledger import balance_of
from club.domain.receipts import open_till
from club.enums import Activity, Means, TenancyMethod
from club.forms import cents_of
from club.models import LedgerEntry, Receipt, Right, TenancyCheck, TillDay
from club.queries.entitlement import may
from concierge.domain.order_fees import balance
from concierge.enums import Audience, Renewal, SubscriptionStatus
from concierge.models import Plan, Subscription
from tests.desk.conftest import words
from tests.factories.club import CardFactory, MemberFactory, PlaceFactory
from tests.factories.money import (
    ClubPlanFactory,
    PlanFactory,
    SponsorshipFactory,
    SubscriptionFactory,
    TenancyCheckFactory,
    TenantPlanFactory,
    TillDayFactory,
)
from tests.factories.orders import DeliveryRoundFactory
from tests.signin import sign_in_staff


@pytest.fixture
def newcomer(place):
    return MemberFactory(place=place, user__first_name="Inès", user__last_name="Diallo")


@pytest.fixture
def anybody(place):
    return PlanFactory(landlord=place.landlord, price_cents=6000, name="Voisins")


@pytest.fixture
def tenants(place):
    return TenantPlanFactory(landlord=place.landlord)


@pytest.fixture
def till(place):
    return TillDayFactory(place=place)


def path(member):
    return f"/desk/membre/{member.pk}/encaisser/"


def pay(desk, member, follow=True, **data):
    return desk.post(path(member), {"means": "cash", "scan": "7", **data}, follow=follow)


def plan_of(plan):
    return {"plan_subscription": f"{plan.pk}:{plan.price_cents}"}


def test_the_best_plan_is_chosen_and_its_whole_price_is_told(desk, newcomer, anybody, till):
    page = desk.get(path(newcomer))
    assert "Voisins : 5 € par mois, payé 60 € par an" in words(page).replace("\xa0", " ")
    html = page.content.decode()
    assert f'value="{anybody.pk}:6000"' in html
    assert 'name="given"' in html and "autofocus" in html
    assert "À payer 60 €" in words(page).replace("\xa0", " ")


def test_coins_are_taken_and_the_change_is_told(desk, newcomer, anybody, till):
    answer = pay(desk, newcomer, given="80", **plan_of(anybody))
    receipt = Receipt.objects.get()
    said = words(answer).replace("\xa0", " ")
    assert "Encaissé 60 €. Rendez 20 €." in said
    assert f'href="/desk/recu/{receipt.pk}/"' in answer.content.decode()
    assert (receipt.cents, receipt.given_cents, receipt.till) == (6000, 8000, till)
    assert "À jour jusqu’au mercredi 8 mars 2028" in said
    assert may(newcomer, Activity.LENDING, date(2027, 3, 9), date(2028, 3, 8)) is None
    assert balance_of(newcomer.household) == 0


@pytest.mark.parametrize("typed", ["60", " 60 €", "60,00", "60.0", "60\u202f€"])
def test_amounts_as_people_write_them(desk, newcomer, anybody, till, typed):
    pay(desk, newcomer, given=typed, **plan_of(anybody))
    assert Receipt.objects.get().given_cents == 6000


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12,50", 1250), ("12.5", 1250), (" 12 €", 1200), ("0,05", 5), ("1\u00a0000", 100000),
        ("-5", None), ("1e20", None), ("12,505", None), ("", None), ("١٢", None),
        ("99999999", None), ("12,", None), ("=1", None), ("12\n", None),
    ],
)  # fmt: skip
def test_what_is_an_amount(text, cents):
    assert cents_of(text) == cents


@pytest.mark.parametrize("given", ["-60", "1e20", "soixante", "60,001"])
def test_an_odd_amount_is_refused_and_kept(desk, newcomer, anybody, till, given):
    answer = pay(desk, newcomer, given=given, **plan_of(anybody))
    assert answer.status_code == 422
    assert "Écrivez un montant en euros" in words(answer)
    assert f'value="{given}"' in answer.content.decode()
    assert not Receipt.objects.exists()


def test_too_little_is_refused_at_its_field(desk, newcomer, anybody, till):
    answer = pay(desk, newcomer, given="50", **plan_of(anybody))
    assert answer.status_code == 422
    assert answer.context["form"].errors["given"] == ["Il manque 10\u00a0€."]
    assert "<title>Erreur" in answer.content.decode()


def test_a_second_press_and_the_back_button_find_the_same_receipt(desk, newcomer, anybody, till):
    first = pay(desk, newcomer, follow=False, **plan_of(anybody))
    again = pay(desk, newcomer, follow=False, **plan_of(anybody))
    assert (first.status_code, again.status_code) == (302, 302)
    assert Receipt.objects.count() == 1
    assert "Encaissé 60" in words(desk.get(again["Location"]))


def test_a_page_of_one_person_does_not_serve_another(desk, newcomer, anybody, till, place):
    pay(desk, newcomer, **plan_of(anybody))
    other = MemberFactory(place=place)
    answer = pay(desk, other, **plan_of(anybody))
    assert answer.status_code == 422
    assert "Cette page a servi pour une autre personne." in words(answer)
    assert Receipt.objects.count() == 1


def test_two_pages_do_not_pay_the_same_year_twice(desk, newcomer, anybody, till):
    pay(desk, newcomer, scan="1", **plan_of(anybody))
    answer = pay(desk, newcomer, scan="2", **plan_of(anybody))
    assert answer.status_code == 422
    assert Receipt.objects.count() == 1
    assert "Voisins : payé jusqu’au mercredi 8 mars 2028." in words(answer).replace("\xa0", " ")


def test_a_price_that_has_changed_is_shown_before_it_is_taken(desk, newcomer, anybody, till):
    data = plan_of(anybody)
    Plan.objects.filter(pk=anybody.pk).update(price_cents=7200)
    answer = pay(desk, newcomer, **data)
    assert answer.status_code == 422
    assert "Le prix a changé." in words(answer)
    assert not Receipt.objects.exists()


def test_tenants_pay_less_once_their_paper_was_seen(desk, newcomer, anybody, tenants, till):
    assert "Locataires (quittance ou bail à voir)" in words(desk.get(path(newcomer)))
    answer = pay(desk, newcomer, **plan_of(tenants))
    assert answer.status_code == 422
    assert answer.context["form"].errors["paper"] == [
        "Regardez une quittance ou le bail, puis cochez."
    ]
    assert not TenancyCheck.objects.exists()
    pay(desk, newcomer, paper="on", **plan_of(tenants))
    assert Receipt.objects.get().cents == 1200
    assert TenancyCheck.objects.get().method == TenancyMethod.PAPER


@pytest.mark.django_db(transaction=True)
def test_a_closed_till_is_opened_with_its_float_on_the_way(desk, newcomer, anybody, place):
    refused = pay(desk, newcomer, **plan_of(anybody))
    assert refused.status_code == 422
    assert refused.context["form"].errors["float"] == [
        "La caisse est fermée. Comptez le fond et écrivez-le."
    ]
    assert not Subscription.objects.exists()
    pay(desk, newcomer, float="50", **plan_of(anybody))
    assert open_till(place).float_cents == 5000
    assert Receipt.objects.get().till == TillDay.objects.get()


def test_a_cheque_needs_no_till(desk, newcomer, anybody):
    pay(desk, newcomer, means="cheque", given="9999", **plan_of(anybody))
    receipt = Receipt.objects.get()
    assert (receipt.means, receipt.till, receipt.given_cents) == (Means.CHEQUE, None, None)


@pytest.mark.parametrize("means", ["card", "gold", ""])
def test_the_desk_takes_no_other_means(desk, newcomer, anybody, till, means):
    answer = pay(desk, newcomer, means=means, **plan_of(anybody))
    assert answer.status_code == 422
    assert "means" in answer.context["form"].errors
    assert not LedgerEntry.objects.exists()


def test_nothing_ticked_takes_nothing(desk, newcomer, anybody, till):
    answer = pay(desk, newcomer, plan_subscription="0:0")
    assert answer.status_code == 422
    assert "Choisissez ce qui est payé." in words(answer)


@pytest.mark.parametrize("posted", ["999999:6000", "1e20:1", "x", "-1:-6000", ""])
def test_a_made_up_plan_is_refused(desk, newcomer, anybody, till, posted):
    assert pay(desk, newcomer, plan_subscription=posted).status_code == 422
    assert not Receipt.objects.exists()


def test_a_made_up_line_is_refused(desk, newcomer, anybody, till, place):
    other = SubscriptionFactory(of=MemberFactory(place=place))
    line = f"subscription:{other.pk}:{other.plan.price_cents}"
    assert pay(desk, newcomer, lines=line).status_code == 422
    assert not Receipt.objects.exists()


def test_a_free_plan_needs_no_money(desk, newcomer, place):
    club = ClubPlanFactory(landlord=place.landlord)
    answer = pay(desk, newcomer, plan_membership=f"{club.pk}:0")
    assert "Abonnement ouvert. Club, jusqu’au mercredi 8 mars 2028." in words(answer)
    assert Subscription.objects.get().status == SubscriptionStatus.ACTIVE
    assert not Receipt.objects.exists()
    again = pay(desk, newcomer, plan_membership=f"{club.pk}:0")
    assert "Abonnement ouvert." in words(again)
    assert Subscription.objects.count() == 1


def test_a_code_of_the_landlord_pays(desk, newcomer, anybody, till):
    code = SponsorshipFactory(plan=anybody, code="ETE27")
    answer = pay(desk, newcomer, code="ete 27", **plan_of(anybody))
    assert "Abonnement ouvert." in words(answer)
    code.refresh_from_db()
    assert (code.used, Receipt.objects.count()) == (1, 0)
    wrong = pay(desk, newcomer, scan="8", code="HIVER")
    assert wrong.status_code == 422
    assert "code" in wrong.context["form"].errors


def test_what_is_debited_on_line_is_said_and_not_paid_twice(desk, newcomer, anybody, till):
    pay(desk, newcomer, **plan_of(anybody))
    Subscription.objects.update(renewal=Renewal.ONLINE, paid_until=date(2027, 3, 12))
    page = words(desk.get(path(newcomer))).replace("\xa0", " ")
    assert "Voisins : prélevé en ligne, payé jusqu’au vendredi 12 mars." in page
    assert pay(desk, newcomer, scan="9", **plan_of(anybody)).status_code == 422
    assert Receipt.objects.count() == 1


def test_a_renewal_is_due_on_the_counter_and_is_paid_by_its_key(
    desk, newcomer, anybody, till, concierge_user
):
    card = CardFactory(member=newcomer)
    pay(desk, newcomer, **plan_of(anybody))
    with time_machine.travel("2028-02-20T10:00:00+01:00", tick=False):
        sign_in_staff(desk, concierge_user)
        shown = words(desk.post("/desk/", {"texte": card.number})).replace("\xa0", " ")
        assert "À payer : 60 € Abonnement « Voisins »" in shown
        pay(desk, newcomer, scan="10", means="transfer", **plan_of(anybody))
    assert Subscription.objects.get().paid_until == date(2029, 3, 8)
    assert Subscription.objects.get().periods.count() == 2


def test_the_key_asks_for_a_person_first(desk, newcomer):
    assert "Scannez d’abord la carte de la personne." in words(
        desk.get("/desk/encaisser/", follow=True)
    )
    assert desk.get(f"/desk/encaisser/?membre={newcomer.pk}")["Location"] == path(newcomer)


def test_another_places_member_is_not_found(desk):
    stranger = MemberFactory(place=PlaceFactory(slug="ailleurs"))
    assert desk.get(path(stranger)).status_code == 404
    assert pay(desk, stranger).status_code == 404


def test_who_left_the_dwelling_keeps_what_is_paid_and_pays_as_anybody_next(
    desk, newcomer, anybody, tenants, till
):
    check = TenancyCheckFactory(member=newcomer)
    pay(desk, newcomer, **plan_of(tenants))
    answer = desk.post(f"/desk/membre/{newcomer.pk}/plus-locataire/", follow=True)
    assert "N’est plus locataire." in words(answer)
    assert "location non vérifiée" in words(answer)
    subscription = Subscription.objects.get()
    assert (subscription.plan, subscription.next_plan) == (tenants, anybody)
    assert Right.objects.filter(revoked_at=None, household=newcomer.household).exists()
    assert TenancyCheck.objects.exclude(pk=check.pk).get().result == "no"


def test_named_lists_are_offered_to_their_people_alone(desk, newcomer, anybody, place, till):
    listed = PlanFactory(landlord=place.landlord, audience=Audience.LISTED, name="Seniors")
    assert "Seniors" not in words(desk.get(path(newcomer)))
    assert pay(desk, newcomer, **plan_of(listed)).status_code == 422


def test_a_post_without_its_token_takes_nothing(place, concierge_user, newcomer, anybody, till):
    client = Client(enforce_csrf_checks=True)
    sign_in_staff(client, concierge_user)
    assert client.post(path(newcomer), plan_of(anybody)).status_code == 403
    assert not Receipt.objects.exists()


def test_who_may_borrow_for_long_is_proposed_no_plan(desk, member, anybody, till):
    page = desk.get(path(member))
    assert "À payer 0 €" in words(page).replace("\xa0", " ")
    assert pay(desk, member, plan_subscription="0:0").status_code == 422


def test_money_for_bread_and_baskets_is_paid_in_beforehand_when_it_is_asked_for(
    desk, newcomer, anybody, till, place
):
    key = f"goods-20:{newcomer.household_id}:2000"
    assert "Payer d’avance" not in words(desk.get(path(newcomer)))
    DeliveryRoundFactory(place=place)
    assert "Payer d’avance" in words(desk.get(path(newcomer)))
    pay(desk, newcomer, plan_subscription="0:0", more=key)
    assert balance(newcomer.household) == 20_00
    assert Receipt.objects.get().cents == 20_00
