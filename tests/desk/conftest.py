import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from club.models import Card, Member, User
from concierge.models import Copy
from tests.factories.club import NOW, CardFactory
from tests.factories.concierge import CopyFactory
from tests.signin import sign_in_staff


@pytest.fixture(autouse=True)
def at_the_counter() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(client: Client, concierge_user: User) -> Client:
    sign_in_staff(client, concierge_user)
    return client


@pytest.fixture
def card(member: Member) -> Card:
    return CardFactory(member=member, number="204511")


@pytest.fixture
def copies(copy: Copy) -> list[Copy]:
    return [copy, *CopyFactory.create_batch(4, tool=copy.tool, place=copy.place)]


def scan(client: Client, text: str, **state: Any) -> Any:
    """One scan, as the page's own request sends it."""
    return client.post("/desk/", {"texte": text, **state}, headers={"X-Desk": "1"})


def words(response: Any) -> str:
    """What a person reads, spaces made one."""
    bare = re.sub(r"<(head|template).*?</\1>|<[^>]*>", " ", response.content.decode(), flags=re.S)
    return re.sub(r" (?=[.,])", "", " ".join(html.unescape(bare).split()))


def result(response: Any) -> tuple[str, str, str]:
    shown = response.context["screen"].result
    return shown.kind, shown.word.replace("\xa0", " "), shown.text.replace("\xa0", " ")
