"""Ma carte: in the page itself, lost, replaced and printed."""

from datetime import date, datetime

import pytest
from django.test import Client

from club.models import Card, Member, Right
from tests.factories.club import CardFactory

CARD, LOST, PRINT = "/mon-espace/carte/", "/mon-espace/carte/perdue/", "/mon-espace/carte/imprimer/"


def test_it_carries_its_code_in_the_page(signed_in: Client, member: Member) -> None:
    card = CardFactory(member=member, number="482174")
    text = signed_in.get(CARD).text
    drawing = text.partition('<div class="member-card__code">')[2].partition("</div>")[0]
    assert "482\u00a0174" in text
    assert drawing.startswith("<svg") and "style=" not in drawing
    assert card.token not in text


def test_a_revoked_card_is_not_shown(signed_in: Client, member: Member, now: datetime) -> None:
    CardFactory(member=member, number="482174", revoked_at=now)
    page = signed_in.get(CARD)
    assert page.context["digits"] == ""
    assert "Vous n’avez pas encore de carte" in page.text


def test_it_tells_until_when_in_the_words_of_the_check(signed_in: Client, member: Member) -> None:
    card = CardFactory(member=member)
    assert "À jour jusqu’au vendredi 31\u00a0décembre" in signed_in.get(CARD).text
    Right.objects.update(activity="club", ends_on=date(2027, 5, 1))
    assert "À jour jusqu’au samedi 1er\u00a0mai" in signed_in.get(CARD).text
    assert "samedi 1er\u00a0mai" in signed_in.get(f"/c/{card.token}").text
    Right.objects.all().delete()
    assert "Pas d’abonnement en cours" in signed_in.get(CARD).text


def test_the_script_that_keeps_the_card_says_nothing(client: Client, db: None) -> None:
    answer = client.get("/mon-espace/carte/hors-ligne.js")
    assert answer["Content-Type"].startswith("text/javascript")


def test_a_lost_card_is_replaced_after_one_question(signed_in: Client, member: Member) -> None:
    card = CardFactory(member=member)
    page = signed_in.get(LOST)
    assert page.status_code == 200 and str(card) in page.text
    assert Card.objects.get(revoked_at=None) == card
    answer = signed_in.post(LOST, {"card": card.number})
    assert answer["Location"] == CARD
    new = Card.objects.get(revoked_at=None)
    shown = signed_in.get(CARD).text
    assert str(new)[1:].strip() in shown and str(card)[1:].strip() not in shown
    assert "L’ancienne carte ne marche plus." in shown
    assert signed_in.get(f"/c/{card.token}").status_code == 404


def test_a_double_press_replaces_once(signed_in: Client, member: Member) -> None:
    card = CardFactory(member=member)
    for _ in range(2):
        signed_in.post(LOST, {"card": card.number})
    assert Card.objects.filter(member=member).count() == 2


def test_nobody_replaces_the_card_of_another(
    signed_in: Client, member: Member, other_member: Member
) -> None:
    mine, theirs = CardFactory(member=member), CardFactory(member=other_member)
    signed_in.post(LOST, {"card": theirs.number})
    theirs.refresh_from_db()
    mine.refresh_from_db()
    assert (theirs.revoked_at, mine.revoked_at) == (None, None)


@pytest.mark.parametrize("path", [LOST, PRINT])
def test_without_a_card_there_is_nothing_to_replace_or_print(signed_in: Client, path: str) -> None:
    assert signed_in.get(path)["Location"] == CARD


def test_a_member_prints_their_own(signed_in: Client, member: Member, other_member: Member) -> None:
    card, other = CardFactory(member=member), CardFactory(member=other_member)
    for wanted in ("a6", "carte"):
        page = signed_in.get(f"{PRINT}?format={wanted}")
        assert page.status_code == 200
        assert str(card) in page.text and str(other) not in page.text
        assert "no-store" in page["Cache-Control"]
