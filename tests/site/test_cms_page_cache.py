"""Kept pages: no statement for a hit, and the truth right after each change."""

from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Closure, Member, Place
from cms import pagecache
from cms.middleware import PageCacheMiddleware
from cms.models import HomePage, Navigation, ServicePage
from cms.setup import build_site
from concierge.domain.lending import reserve_tool
from concierge.models import Copy, Tool
from tests.factories.club import NOW, LandlordFactory, PlaceFactory
from tests.factories.cms import published

LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture(autouse=True)
def kept_pages(settings: Any) -> Any:
    settings.PAGE_CACHE_SECONDS = 600
    settings.CACHES = LOCAL
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield
    cache.clear()


@pytest.fixture
def committing(django_capture_on_commit_callbacks: Any) -> Any:
    """A transaction of its own, as far as what waits for its commit goes."""

    @contextmanager
    def transaction_of_its_own(execute: bool = True) -> Any:
        connection.run_on_commit.clear()
        with django_capture_on_commit_callbacks(execute=execute) as callbacks:
            yield callbacks

    return transaction_of_its_own


@pytest.fixture
def home(place: Place, committing: Any) -> HomePage:
    with committing():
        return build_site(place)


def statements(client: Client, path: str, **more: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(path, **more)
    return len(captured)


def test_a_second_visitor_costs_no_statement(client: Client, home: HomePage) -> None:
    first = client.get("/")
    assert statements(Client(), "/") == 0
    again = Client().get("/")
    assert again.content == first.content
    assert again["Content-Security-Policy"] == first["Content-Security-Policy"]
    assert "nonce" not in again["Content-Security-Policy"]
    assert again["X-Frame-Options"] == "SAMEORIGIN"


def test_the_catalogue_is_kept_too(client: Client, home: HomePage, copy: Copy) -> None:
    client.get(copy.tool.get_absolute_url())
    assert statements(client, copy.tool.get_absolute_url()) == 0


def test_a_published_page_is_the_next_readers(
    client: Client, home: HomePage, committing: Any
) -> None:
    client.get("/services/")
    page = ServicePage.objects.get(slug="services")
    with committing():
        page.lead = "Un chapeau tout neuf."
        published(page)
    assert "Un chapeau tout neuf." in client.get("/services/").content.decode()


def test_an_unpublished_page_is_gone_at_once(
    client: Client, home: HomePage, committing: Any
) -> None:
    assert client.get("/entraide/").status_code == 200
    with committing():
        ServicePage.objects.get(slug="entraide").unpublish()
    assert client.get("/entraide/").status_code == 404


def test_a_booking_is_seen_by_the_next_visitor(
    client: Client, home: HomePage, place: Place, member: Member, copy: Copy, committing: Any
) -> None:
    path = copy.tool.get_absolute_url()
    assert "Disponible aujourd’hui" in client.get(path).content.decode()
    with committing():
        reserve_tool(
            tool=copy.tool,
            place=place,
            member=member,
            starts_on=NOW.date(),
            by=member.user,
            now=NOW,
        )
    assert "Disponible aujourd’hui" not in client.get(path).content.decode()


def test_a_booking_pays_no_statement_for_the_pages(
    home: HomePage, place: Place, member: Member, copy: Copy, committing: Any
) -> None:
    with CaptureQueriesContext(connection) as captured, committing():
        reserve_tool(
            tool=copy.tool,
            place=place,
            member=member,
            starts_on=NOW.date(),
            by=member.user,
            now=NOW,
        )
    assert not [query for query in captured if "club_landlord" in query["sql"].split("JOIN")[0]]


def test_new_hours_are_seen_at_once(
    client: Client, home: HomePage, place: Place, committing: Any
) -> None:
    assert "Ouvert, ferme" in client.get("/").content.decode()
    with committing():
        Closure.objects.create(
            place=place, starts_on=NOW.date(), ends_on=NOW.date(), reason="illness"
        )
    assert "Ouvert, ferme" not in client.get("/").content.decode()


def test_the_catalogue_and_the_menus_are_seen_at_once(
    client: Client, home: HomePage, copy: Copy, committing: Any
) -> None:
    path = copy.tool.get_absolute_url()
    client.get(path)
    with committing():
        Tool.objects.get(pk=copy.tool_id).save()
        tool = Tool.objects.get(pk=copy.tool_id)
        tool.name = "Gaufrier à cœurs"
        tool.save()
    assert "Gaufrier à cœurs" in client.get(path).content.decode()
    with committing():
        navigation = Navigation.objects.get()
        navigation.alert_text = "Fermé pour inventaire."
        navigation.save()
    assert "Fermé pour inventaire." in client.get(path).content.decode()


def test_somebody_signed_in_never_gets_a_visitors_page(
    client: Client, home: HomePage, member: Member
) -> None:
    visitor = client.get("/").content.decode()
    client.force_login(member.user)
    answer = client.get("/")
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer.context is not None
    client.logout()
    assert Client().get("/").content.decode() == visitor


def test_a_page_made_for_a_member_is_not_kept(
    client: Client, home: HomePage, member: Member
) -> None:
    client.force_login(member.user)
    client.get("/")
    assert statements(Client(), "/") > 0


def test_each_language_has_its_own_page(client: Client, home: HomePage) -> None:
    french = client.get("/", headers={"accept-language": "fr"})
    english = client.get("/", headers={"accept-language": "en"})
    assert '<html lang="fr">' in french.content.decode()
    assert '<html lang="en">' in english.content.decode()
    client.cookies["django_language"] = "en"
    assert '<html lang="en">' in client.get("/").content.decode()


def test_caches_in_between_must_ask_and_may_be_told_not_modified(
    client: Client, home: HomePage
) -> None:
    first = client.get("/")
    assert first["Cache-Control"] == "no-cache"
    vary = {name.strip() for name in first["Vary"].split(",")}
    assert vary == {"Accept-Language", "Cookie"}
    for tag in (first["ETag"], f"W/{first['ETag']}", "*"):
        answer = client.get("/", headers={"if-none-match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"] == first["ETag"]
    assert client.get("/", headers={"if-none-match": '"other"'}).status_code == 200


def test_head_is_answered_without_a_body(client: Client, home: HomePage) -> None:
    length = len(client.get("/").content)
    answer = client.head("/")
    assert (answer.content, answer["Content-Length"]) == (b"", str(length))


def test_a_query_a_message_or_a_token_is_never_kept(client: Client, home: HomePage) -> None:
    client.get("/?page=1")
    assert statements(client, "/?page=1") > 0
    client.cookies["messages"] = "anything"
    client.get("/")
    assert statements(Client(), "/") > 0
    client.get("/signaler-un-defaut/")
    assert statements(Client(), "/signaler-un-defaut/") > 0


def test_what_is_not_found_is_not_kept(client: Client, home: HomePage) -> None:
    client.get("/rien-ici/")
    assert statements(client, "/rien-ici/") > 0


def test_a_page_goes_when_the_place_opens_or_closes(client: Client, home: HomePage) -> None:
    """10:24 with a closing at 12:00 and ten minutes to keep; at 11:55 only five."""
    with time_machine.travel(NOW.replace(hour=11, minute=55), tick=False):
        assert "Ouvert, ferme à 12" in client.get("/").content.decode()
    with time_machine.travel(NOW.replace(hour=12, minute=0, second=1), tick=False):
        assert "Fermé, ouvre à 14" in client.get("/").content.decode()


def test_a_page_goes_by_itself(client: Client, home: HomePage) -> None:
    client.get("/")
    assert statements(client, "/") == 0
    with time_machine.travel(NOW.replace(minute=34, second=1), tick=False):
        assert statements(client, "/") > 0


def test_one_landlords_change_leaves_the_others_pages(
    client: Client, home: HomePage, committing: Any
) -> None:
    landlord = LandlordFactory(slug="autre", name="Autre Habitat", hostname="autre.example")
    with committing():
        other = PlaceFactory(slug="autre-lieu", landlord=landlord)
        build_site(other)
    client.get("/")
    client.get("/", headers={"host": "autre.example"})
    with committing():
        Closure.objects.create(
            place=other, starts_on=NOW.date(), ends_on=NOW.date(), reason="works"
        )
    assert statements(client, "/") == 0
    assert statements(client, "/", headers={"host": "autre.example"}) > 0


def test_a_page_overtaken_by_a_change_is_void_from_the_start(
    client: Client, home: HomePage, rf: Any
) -> None:
    def slow_page(request: Any) -> Any:
        from django.http import HttpResponse

        pagecache.NewGeneration("")()
        return HttpResponse("made before the change")

    request = rf.get("/lente/")
    middleware = PageCacheMiddleware(slow_page)
    middleware(request)
    key = pagecache.page_key(request, "fr")
    _generation, entry = pagecache.look_up(request, key)
    assert entry is None


def test_many_changes_of_one_transaction_void_once(home: HomePage, committing: Any) -> None:
    with committing(execute=False) as callbacks:
        for _time in range(5):
            pagecache.void()
        pagecache.void("autre.example")
    assert callbacks == [pagecache.NewGeneration(""), pagecache.NewGeneration("autre.example")]


def test_a_change_taken_back_does_not_swallow_the_next(home: HomePage, committing: Any) -> None:
    class TakenBack(Exception):
        pass

    with committing(execute=False) as callbacks:
        try:
            with transaction.atomic():
                pagecache.void()
                raise TakenBack
        except TakenBack:
            pass
        pagecache.void()
    assert callbacks == [pagecache.NewGeneration("")]


def test_an_emptied_cache_brings_back_nothing_old(client: Client, home: HomePage) -> None:
    client.get("/")
    cache.delete(pagecache.ALL_HOSTS)
    assert statements(client, "/") > 0


@pytest.mark.django_db(transaction=True)
def test_it_all_holds_with_real_commits_and_the_cache_in_the_database(
    client: Client, settings: Any
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "shared_cache",
        }
    }
    # The table is there from the migrations only where the cache was not Redis.
    call_command("createcachetable")
    home = build_site(PlaceFactory(slug="tilleuls"))
    assert "On vous rend service" in client.get("/").content.decode()
    assert statements(client, "/") == 1
    home.promise = "Tout près de chez vous."
    published(home)
    assert "Tout près de chez vous." in client.get("/").content.decode()
