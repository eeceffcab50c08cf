from datetime import date, timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.urls import resolve, reverse

from club.kernel import codes, links

TODAY = date(2027, 3, 9)


def test_the_long_link_carries_the_signed_reference(settings: Any) -> None:
    settings.BASE_URL = "https://club.example.org"
    link = links.booking_link("R1234567897")
    assert link.startswith("https://club.example.org/mon-espace/r/")
    signed = resolve(link.removeprefix("https://club.example.org")).kwargs["signed"]
    assert signing.loads(signed, salt="booking") == "R1234567897"


def test_a_short_code_gives_its_reference_back_for_120_days() -> None:
    for _ in range(50):
        reference = codes.booking_reference()
        code = links.short_code(reference, TODAY)
        assert len(code) == 20
        assert links.reference_of(code, TODAY) == reference
        assert links.reference_of(code, TODAY + timedelta(days=120)) == reference
        assert links.reference_of(code, TODAY + timedelta(days=121)) is None


def test_no_single_changed_character_is_accepted() -> None:
    code = links.short_code("R1234567897", TODAY)
    for position in range(20):
        for other in "0az9":
            changed = code[:position] + other + code[position + 1 :]
            if changed != code:
                assert links.reference_of(changed, TODAY) is None


@pytest.mark.parametrize("code", ["", "x", "é" * 20, "0" * 20, "0" * 21, "Z" * 20])
def test_nonsense_is_no_code(code: str) -> None:
    assert links.reference_of(code, TODAY) is None


def test_the_short_link_leads_to_the_booking_and_a_false_one_nowhere(
    client: Client, db: None, time_machine: Any
) -> None:
    time_machine.move_to("2027-03-09T10:24:00+01:00")
    code = links.short_code("R1234567897", TODAY)
    answer = client.get(reverse("short-link", args=[code]))
    assert answer.status_code == 302
    signed = resolve(answer["Location"]).kwargs["signed"]
    assert signing.loads(signed, salt="booking") == "R1234567897"
    assert client.get(reverse("short-link", args=["0" * 20])).status_code == 404
