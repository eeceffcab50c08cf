"""Mon abonnement: what I have, the formulas for me, paying, stopping, a code."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from club.domain.receipts import take_payment
from club.enums import RightSource
from club.kernel.purchases import due_of
from club.models import Customer, Member, Place, Right, User
from concierge.domain.subscriptions import add_period, give_awaited_right, payment_failed, subscribe
from concierge.enums import Renewal
from concierge.models import Plan, Sponsorship, Subscription
from tests.factories.club import CardFactory, MemberFactory, RightFactory
from tests.factories.money import (
    ClubPlanFactory,
    PlanFactory,
    SponsorshipFactory,
    SubscriptionFactory,
    TenancyCheckFactory,
    TenantPlanFactory,
    TillDayFactory,
)

NBSP = "\u00a0"
HOME = "/mon-espace/abonnement/"
CHOOSE = f"{HOME}choisir/"


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def browser(client: Client, newcomer: Member) -> Client:
    client.force_login(newcomer.user)
    return client


@pytest.fixture
def plan(place: Place) -> Plan:
    """5 € a month, paid 60 € a year, for everybody."""
    return PlanFactory(landlord=place.landlord, slug="habitants", price_cents=6000)


@pytest.fixture
def tenants(place: Place) -> Plan:
    return TenantPlanFactory(landlord=place.landlord, slug="locataires")


def asked(member: Member, plan: Plan, now: datetime) -> Subscription:
    return subscribe(member, plan, place=member.place, by=member.user, now=now)


def paid(member: Member, plan: Plan, now: datetime, source: str = "stripe:1") -> Subscription:
    one = asked(member, plan, now)
    add_period(one, source, plan.price_cents, RightSource.PAYMENT, by=None, now=now)
    one.refresh_from_db()
    return one


def page(client: Client, path: str = HOME) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer
    return answer


# -- Choosing --------------------------------------------------------------------------------


def test_a_newcomer_sees_the_honest_price_and_why_it_is_by_the_year(
    browser: Client, plan: Plan
) -> None:
    shown = page(browser)
    assert f"5{NBSP}€ par mois, payé 60{NBSP}€ par an. Pour tout le foyer." in shown.text
    assert "des paiements chaque mois coûteraient trop de frais" in shown.text
    assert f'href="{CHOOSE}?formule=habitants"' in shown.text


def test_who_is_no_tenant_yet_sees_the_tenants_price_and_how_to_prove_it(
    browser: Client, newcomer: Member, plan: Plan, tenants: Plan
) -> None:
    shown = page(browser)
    assert [card.plan for card in shown.context["new_plans"]] == [plan]
    assert (
        f"« Locataires »{NBSP}: 1{NBSP}€ par mois".replace("« ", f"«{NBSP}").replace(
            " »", f"{NBSP}»"
        )
        in shown.text
    )
    assert 'href="/mon-compte/locataire/"' in shown.text
    TenancyCheckFactory(member=newcomer)
    shown = page(browser)
    assert [card.plan for card in shown.context["new_plans"]] == [tenants]
    assert "Prouver que je suis locataire" not in shown.text


def test_a_place_without_formulas_says_whom_to_call(browser: Client) -> None:
    assert "Aucune formule n’est proposée ici" in page(browser).text


def test_the_check_page_says_the_commitment(browser: Client, plan: Plan) -> None:
    shown = page(browser, f"{CHOOSE}?formule=habitants")
    assert f"5{NBSP}€ par mois, payé 60{NBSP}€ par an" in shown.text
    assert "Pour un an, à partir du jour où vous payez." in shown.text
    assert not Subscription.objects.exists()


def test_choosing_leads_to_paying_and_twice_is_one(
    browser: Client, newcomer: Member, plan: Plan
) -> None:
    answers = [browser.post(CHOOSE, {"formule": "habitants"}) for _ in range(2)]
    one = Subscription.objects.get()
    assert (one.household, one.plan, one.status) == (newcomer.household, plan, "pending")
    assert [answer["Location"] for answer in answers] == [f"{HOME}{one.pk}/payer/"] * 2


def test_a_free_formula_is_active_with_the_press_and_twice_is_one(
    browser: Client, newcomer: Member, place: Place
) -> None:
    ClubPlanFactory(landlord=place.landlord, slug="club")
    assert "M’abonner gratuitement" in page(browser, f"{CHOOSE}?formule=club").text
    answers = [browser.post(CHOOSE, {"formule": "club"}) for _ in range(2)]
    one = Subscription.objects.get()
    assert [answer["Location"] for answer in answers] == [f"{HOME}{one.pk}/actif/"] * 2
    done = page(browser, f"{HOME}{one.pk}/actif/")
    assert "C’est actif" in done.text
    assert f"Jusqu’au mercredi 8{NBSP}mars{NBSP}2028" in done.text
    assert Right.objects.get().household == newcomer.household


@pytest.mark.parametrize("data", [{}, {"formule": ""}, {"formule": "autre"}, {"formule": "\x00"}])
def test_a_formula_that_is_not_for_me_is_refused(
    browser: Client, plan: Plan, tenants: Plan, data: dict[str, str]
) -> None:
    answer = browser.post(CHOOSE, data)
    assert answer.status_code == 422
    assert "Il y a un problème" in answer.text
    assert [card.plan for card in answer.context["plans"]] == [plan]
    assert not Subscription.objects.exists()


def test_the_tenants_formula_is_refused_to_others(
    browser: Client, plan: Plan, tenants: Plan
) -> None:
    assert browser.post(CHOOSE, {"formule": "locataires"}).status_code == 422
    assert browser.get(f"{CHOOSE}?formule=locataires")["Location"] == HOME
    assert not Subscription.objects.exists()


# -- Paying ----------------------------------------------------------------------------------


def test_at_the_desk_the_page_says_price_place_hours_and_number(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    CardFactory(member=newcomer, number="482174")
    one = asked(newcomer, plan, now)
    shown = page(browser, f"{HOME}{one.pk}/payer/")
    assert "Payez à l’accueil" in shown.text
    assert f"60{NBSP}€" in shown.text
    assert f"M{NBSP}482{NBSP}174" in shown.text
    assert shown.context["hours"] == [
        {
            "day": f"Mardi 9{NBSP}mars",
            "hours": f"de 9{NBSP}h à 12{NBSP}h, de 14{NBSP}h à 18{NBSP}h",
        },
        {
            "day": f"Mercredi 10{NBSP}mars",
            "hours": f"de 9{NBSP}h à 12{NBSP}h, de 14{NBSP}h à 18{NBSP}h",
        },
        {
            "day": f"Jeudi 11{NBSP}mars",
            "hours": f"de 9{NBSP}h à 12{NBSP}h, de 14{NBSP}h à 18{NBSP}h",
        },
    ]
    assert "en ligne" not in shown.text


@pytest.mark.parametrize(("collector", "online"), [("association", True), ("public", False)])
def test_on_line_where_the_place_takes_it(
    browser: Client, newcomer: Member, plan: Plan, now: datetime, settings: Any,
    collector: str, online: bool,
) -> None:  # fmt: skip
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    newcomer.place.collector = collector
    newcomer.place.save()
    one = asked(newcomer, plan, now)
    shown = page(browser, f"{HOME}{one.pk}/payer/")
    assert (f'href="/mon-espace/payer/subscription/{one.pk}/"' in shown.text) is online
    assert ("Ou payez à l’accueil" in shown.text) is online


def test_nothing_is_asked_for_while_a_debit_is_under_way(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    one = asked(newcomer, plan, now)
    give_awaited_right(one, by=None, now=now)
    shown = page(browser)
    assert "Paiement en cours" in shown.text
    assert f"Ouvert jusqu’au lundi 22{NBSP}mars" in shown.text
    assert f"{HOME}{one.pk}/payer/" not in shown.text
    assert browser.get(f"{HOME}{one.pk}/payer/")["Location"] == HOME


def test_a_debit_under_way_without_a_right_is_not_paid_twice(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    one = asked(newcomer, plan, now)
    Subscription.objects.filter(pk=one.pk).update(provider_id="sub_1", renewal=Renewal.ONLINE)
    shown = page(browser)
    assert "La banque met quelques jours." in shown.text
    assert f"{HOME}{one.pk}/payer/" not in shown.text


def test_after_paying_at_the_desk_all_is_up_to_date(
    browser: Client, newcomer: Member, plan: Plan, now: datetime, concierge_user: User
) -> None:
    one = asked(newcomer, plan, now)
    assert "En attente" in page(browser).text
    TillDayFactory(place=newcomer.place, opened_by=concierge_user)
    take_payment(
        member=newcomer, place=newcomer.place, lines=due_of(newcomer.household, now),
        means="cash", by=concierge_user, now=now,
    )  # fmt: skip
    shown = page(browser)
    assert "À jour" in shown.text
    assert f"Jusqu’au mercredi 8{NBSP}mars{NBSP}2028" in shown.text
    assert "À la main" in shown.text
    assert f"{HOME}{one.pk}/payer/" not in shown.text


def test_it_is_renewed_by_hand_in_its_last_sixty_days(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    one = paid(newcomer, plan, now)
    with time_machine.travel(datetime(2028, 1, 7, 12, tzinfo=now.tzinfo)):
        browser.force_login(newcomer.user)
        assert f"{HOME}{one.pk}/payer/" not in page(browser).text
    with time_machine.travel(datetime(2028, 1, 8, 12, tzinfo=now.tzinfo)):
        assert f"Renouveler pour 60{NBSP}€" in page(browser).text


# -- What I have -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "chip", "until"),
    [
        ({"status": "active"}, "À jour", f"Jusqu’au jeudi 1er{NBSP}avril"),
        ({"status": "late", "paid_until": date(2027, 3, 1)}, "En retard", "Terminé le lundi 1er"),
        ({"status": "active", "paid_until": date(2027, 3, 8)}, "En retard", "Terminé le lundi 8"),
        ({"status": "pending", "paid_until": None}, "En attente", "Pas encore payé"),
        ({"status": "paused"}, "En pause", "Jusqu’au"),
        ({"status": "ended", "paid_until": date(2027, 1, 31)}, "Arrêté", "Terminé le dimanche 31"),
        ({"status": "cancelled", "paid_until": date(2027, 1, 31)}, "Arrêté", "Terminé le"),
    ],
)
def test_the_state_is_a_chip_and_its_date_in_words(
    browser: Client, newcomer: Member, plan: Plan, changes: dict[str, Any], chip: str, until: str
) -> None:
    one = SubscriptionFactory(of=newcomer, plan=plan)
    Subscription.objects.filter(pk=one.pk).update(**{"paid_until": date(2027, 4, 1)} | changes)
    ((state, _one, _cents),) = page(browser).context["held"]
    assert state.chip.text == chip
    assert state.until.startswith(until)


def test_a_refused_payment_says_until_when_to_pay(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    one = paid(newcomer, plan, now - timedelta(days=355))
    payment_failed(one, by=None, now=now)
    shown = page(browser)
    assert "Paiement refusé" in shown.text
    assert f"Payez avant le vendredi 2{NBSP}avril pour ne rien perdre." in shown.text


@pytest.mark.parametrize("is_mine", [True, False])
def test_who_pays_is_named(
    browser: Client, newcomer: Member, plan: Plan, now: datetime, is_mine: bool
) -> None:
    one = paid(newcomer, plan, now)
    Subscription.objects.filter(pk=one.pk).update(renewal=Renewal.ONLINE)
    partner = MemberFactory(
        place=newcomer.place, household=newcomer.household, user__first_name="Karim"
    )
    payer = newcomer if is_mine else partner
    Customer.objects.create(
        household=newcomer.household, provider_id="cus_1", payer=payer, created_at=now
    )
    ((state, _one, _cents),) = page(browser).context["held"]
    assert state.payer == ("Vous" if is_mine else "Karim")


def test_what_the_desk_gave_is_told(browser: Client, newcomer: Member, plan: Plan) -> None:
    RightFactory(household=newcomer.household)
    shown = page(browser)
    assert f"Vous pouvez emprunter jusqu’au vendredi 31{NBSP}décembre." in shown.text


def test_the_free_club_stands_beside_the_subscription(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    club = ClubPlanFactory(landlord=plan.landlord)
    paid(newcomer, plan, now)
    shown = page(browser)
    assert [card.plan for card in shown.context["club_plans"]] == [club]
    assert shown.context["new_plans"] == []
    asked(newcomer, club, now)
    shown = page(browser)
    assert [one.plan for _state, one, _cents in shown.context["held"]] == [plan, club]
    assert shown.context["club_plans"] == []


# -- Changing, stopping, keeping ---------------------------------------------------------------


def test_another_formula_begins_with_the_next_period_and_can_be_taken_back(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    other = PlanFactory(
        landlord=plan.landlord, slug="mois", price_cents=600, months=1, name="Au mois"
    )
    one = paid(newcomer, plan, now)
    shown = page(browser, f"{HOME}formules/")
    assert [card.plan for card in shown.context["plans"]] == [other]
    check = page(browser, f"{CHOOSE}?formule=mois")
    assert f"Rien ne change jusqu’au mercredi 8{NBSP}mars{NBSP}2028." in check.text
    shown = browser.post(CHOOSE, {"formule": "mois"}, follow=True)
    assert "commence après le mercredi 8" in shown.text
    one.refresh_from_db()
    assert (one.plan, one.next_plan) == (plan, other)
    shown = browser.post(CHOOSE, {"formule": "habitants"}, follow=True)
    one.refresh_from_db()
    assert (one.plan, one.next_plan) == (plan, None)
    assert "Vous gardez votre formule" in shown.text


def test_stopping_is_asked_once_more_and_says_until_when_it_lasts(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    one = paid(newcomer, plan, now)
    check = page(browser, f"{HOME}{one.pk}/arreter/")
    assert f"Vous gardez tout jusqu’au mercredi 8{NBSP}mars{NBSP}2028." in check.text
    one.refresh_from_db()
    assert not one.stops_at_end
    for _ in range(2):
        shown = browser.post(f"{HOME}{one.pk}/arreter/", follow=True)
        assert f"Il dure jusqu’au mercredi 8{NBSP}mars{NBSP}2028." in shown.text
    one.refresh_from_db()
    assert one.stops_at_end
    assert "Il s’arrête ensuite." in shown.text
    assert f"{HOME}{one.pk}/payer/" not in shown.text


def test_it_is_kept_after_all_and_a_second_press_is_harmless(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    one = paid(newcomer, plan, now)
    for _ in range(2):
        browser.post(f"{HOME}{one.pk}/arreter/")
        assert "Il continue après le mercredi 8" in page(browser, f"{HOME}{one.pk}/garder/").text
        for _again in range(2):
            assert browser.post(f"{HOME}{one.pk}/garder/")["Location"] == HOME
        one.refresh_from_db()
        assert not one.stops_at_end


def test_what_is_not_paid_stops_at_once_and_again_is_said(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    one = asked(newcomer, plan, now)
    assert "Il s’arrête tout de suite." in page(browser, f"{HOME}{one.pk}/arreter/").text
    browser.post(f"{HOME}{one.pk}/arreter/")
    one.refresh_from_db()
    assert one.status == "cancelled"
    again = browser.post(f"{HOME}{one.pk}/arreter/")
    assert again["Location"] == HOME
    assert "Cet abonnement est déjà terminé." in page(browser).text
    assert browser.get(f"{HOME}{one.pk}/arreter/")["Location"] == HOME
    assert page(browser).context["held"] == []


def test_from_free_to_paid_is_said_and_asked_for_at_its_end(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    free = PlanFactory(landlord=plan.landlord, slug="gratuit", price_cents=0, for_household=False)
    one = asked(newcomer, free, now)
    shown = browser.post(CHOOSE, {"formule": "habitants"}, follow=True)
    assert "commence après le mercredi 8" in shown.text
    ((state, _one, _cents),) = shown.context["held"]
    assert state.renewal.startswith("À la main")
    one.refresh_from_db()
    assert (one.plan, one.next_plan) == (free, plan)


@pytest.mark.parametrize("status", ["late", "paused"])
def test_what_is_late_or_paused_is_not_said_to_last(
    browser: Client, newcomer: Member, plan: Plan, now: datetime, status: str
) -> None:
    one = paid(newcomer, plan, now)
    Subscription.objects.filter(pk=one.pk).update(status=status, paid_until=date(2027, 3, 5))
    check = page(browser, f"{HOME}{one.pk}/arreter/")
    assert "Vous gardez tout" not in check.text
    shown = browser.post(f"{HOME}{one.pk}/arreter/", follow=True)
    assert "C’est noté. Il ne sera pas renouvelé." in shown.text


def test_who_is_late_and_takes_another_formula_pays_it_now(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    other = PlanFactory(landlord=plan.landlord, slug="mois", price_cents=600, months=1)
    one = paid(newcomer, plan, now)
    Subscription.objects.filter(pk=one.pk).update(status="late", paid_until=date(2027, 3, 5))
    assert "Rien ne change" not in page(browser, f"{CHOOSE}?formule=mois").text
    answer = browser.post(CHOOSE, {"formule": "mois"})
    assert answer["Location"] == f"{HOME}{one.pk}/payer/"
    shown = page(browser, answer["Location"])
    assert (shown.context["cents"], shown.context["formula"].plan) == (600, other)


# -- A code of the landlord's ------------------------------------------------------------------


@pytest.fixture
def code(plan: Plan) -> Sponsorship:
    return SponsorshipFactory(plan=plan, code="TILLEUL24", quota=1)


def test_a_code_pays_a_period(browser: Client, newcomer: Member, code: Sponsorship) -> None:
    answer = browser.post(f"{HOME}code/", {"code": " tilleul 24 "})
    one = Subscription.objects.get()
    assert answer["Location"] == f"{HOME}{one.pk}/actif/"
    assert "C’est actif" in page(browser, answer["Location"]).text
    ((state, _one, _cents),) = page(browser).context["held"]
    assert (state.chip.text, state.payer) == ("À jour", newcomer.household.landlord.name)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Écrivez le code de la lettre."),
        ("TILLEUL25", "Ce code n’est pas connu"),
        ("x" * 41, "Ce code est trop long."),
    ],
)
def test_a_wrong_code_keeps_what_was_typed(
    browser: Client, code: Sponsorship, typed: str, said: str
) -> None:
    answer = browser.post(f"{HOME}code/", {"code": typed})
    assert answer.status_code == 422
    assert answer.text.count(said) == 2
    assert f'value="{typed}"' in answer.text or not typed
    assert not Subscription.objects.exists()


def test_a_code_is_used_once_and_by_no_more_than_its_number(
    browser: Client, code: Sponsorship, place: Place
) -> None:
    browser.post(f"{HOME}code/", {"code": "TILLEUL24"})
    again = browser.post(f"{HOME}code/", {"code": "TILLEUL24"})
    assert (again.status_code, Subscription.objects.get().periods.count()) == (422, 1)
    browser.force_login(MemberFactory(place=place).user)
    spent = browser.post(f"{HOME}code/", {"code": "TILLEUL24"})
    assert spent.status_code == 422
    assert "Ce code a déjà servi pour tous ses foyers." in spent.text


def test_codes_are_not_found_by_trying(browser: Client, code: Sponsorship) -> None:
    for number in range(10):
        browser.post(f"{HOME}code/", {"code": f"ESSAI{number}"})
    answer = browser.post(f"{HOME}code/", {"code": "TILLEUL24"})
    assert answer.status_code == 422
    assert "Dix essais par jour." in answer.text
    assert not Subscription.objects.exists()


# -- Nobody else's -----------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["payer", "actif", "arreter", "garder"])
def test_another_household_s_does_not_exist(
    browser: Client, other_member: Member, plan: Plan, now: datetime, act: str
) -> None:
    one = paid(other_member, plan, now)
    path = f"{HOME}{one.pk}/{act}/"
    assert browser.get(path).status_code == 404
    assert browser.post(path).status_code in {404, 405}
    one.refresh_from_db()
    assert not one.stops_at_end


def test_a_person_s_own_is_not_their_partner_s(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    partner = MemberFactory(place=newcomer.place, household=newcomer.household)
    plan.for_household = False
    plan.save()
    one = paid(partner, plan, now)
    assert page(browser).context["held"] == []
    assert browser.get(f"{HOME}{one.pk}/arreter/").status_code == 404
