"""The pages of a new place: what they say, what they cost, where their links lead."""

import re
from datetime import date, time
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from wagtail.models import Page, Site

from club.models import Place
from cms.enums import AlertLevel, Target
from cms.models import (
    AccessibilityPage,
    AccessibilityScheme,
    Article,
    ArticleIndex,
    HomePage,
    MenuItem,
    Navigation,
    ServicePage,
    Tile,
    WeekNote,
)
from cms.setup import build_site, services
from tests.factories.club import NOW, LandlordFactory, MemberFactory, PlaceFactory
from tests.factories.cms import published

NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def at_the_counter() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def home(place: Place) -> HomePage:
    return build_site(place)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def test_the_home_says_what_the_place_is_for(client: Client, home: HomePage) -> None:
    page = client.get("/")
    words = text_of(page)
    assert "On vous rend service, en bas de chez vous." in words
    assert f"Ouvert, ferme à 12{NBSP}h".replace(NBSP, " ") in words
    assert f"<strong>1{NBSP}€ par mois</strong>" in page.content.decode()
    assert [tile.label for tile in home.tiles.all()] == [
        "Emprunter",
        "Réserver un service",
        "Pain et paniers",
        "Événements",
        "Avantages",
        "Aide entre voisins",
    ]
    assert page.content.decode().count('class="tile"') == 6


def test_this_week_shows_three_lines_whose_day_is_not_over(client: Client, home: HomePage) -> None:
    home.week_notes = [
        WeekNote(day=date(2027, 3, 8), text="C’était hier"),
        WeekNote(day=date(2027, 3, 13), hour=time(10), text="Réparer son vélo, dans la cour"),
        WeekNote(day=date(2027, 3, 10), words="Avant mercredi soir", text="Commandez"),
        WeekNote(day=date(2027, 3, 12), hour=time(17), text="Retrait des paniers"),
        WeekNote(day=date(2027, 3, 20), text="La semaine d’après"),
    ]
    published(home)
    words = text_of(client.get("/")).replace(NBSP, " ")
    assert "Avant mercredi soirCommandez" in words
    assert "Vendredi 12 mars, 17 hRetrait des paniers" in words
    assert "Samedi 13 mars, 10 hRéparer son vélo, dans la cour" in words
    assert "C’était hier" not in words
    assert "La semaine d’après" not in words


def test_each_link_of_the_new_pages_leads_somewhere(client: Client, home: HomePage) -> None:
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, path
        if path.startswith(("/emprunter", "/compte", "/mon-espace", "/static", "/theme")):
            continue
        links = re.findall(r'<a [^>]*href="(/[^"#?]*)', answer.content.decode())
        waiting += [link for link in links if link not in seen]
    assert {"/services/", "/pain-et-paniers/", "/accessibilite/", "/mentions-legales/"} <= seen


def test_a_new_place_gets_its_pages_once(place: Place, home: HomePage) -> None:
    before = list(Page.objects.order_by("path").values_list("url_path", flat=True))
    assert build_site(place) == home
    assert list(Page.objects.order_by("path").values_list("url_path", flat=True)) == before
    assert Navigation.objects.get().menu_items.count() == 1 + len(services())


def test_an_editors_change_survives_a_second_run(place: Place, home: HomePage) -> None:
    bread = ServicePage.objects.get(slug="pain-et-paniers")
    bread.title = "Pain du jour"
    published(bread)
    build_site(place)
    bread.refresh_from_db()
    assert bread.title == "Pain du jour"


def test_wagtails_welcome_page_is_gone(home: HomePage) -> None:
    assert Site.objects.get(is_default_site=True).root_page_id == home.pk
    assert not Page.objects.filter(slug="home").exists()


def test_a_second_place_has_its_own_home_and_shares_the_pages(
    client: Client, place: Place, home: HomePage
) -> None:
    second = PlaceFactory(slug="pigeonnier", name="Conciergerie du Pigeonnier")
    other = build_site(second)
    assert other.get_parent().pk == home.pk
    assert ServicePage.objects.filter(slug="services").count() == 1
    assert "Conciergerie du Pigeonnier" in text_of(client.get("/pigeonnier/"))
    assert "Conciergerie des Tilleuls" in text_of(client.get("/"))


def test_another_landlord_has_another_host(client: Client, home: HomePage) -> None:
    landlord = LandlordFactory(slug="autre", name="Autre Habitat", hostname="autre.example")
    build_site(PlaceFactory(slug="autre-lieu", name="Accueil de la Gare", landlord=landlord))
    assert "Accueil de la Gare" in text_of(client.get("/", headers={"host": "autre.example"}))
    assert "Conciergerie des Tilleuls" in text_of(client.get("/"))


def test_the_home_costs_six_statements_at_most(
    client: Client, home: HomePage, django_assert_num_queries: Any, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    client.get("/")
    with django_assert_num_queries(6):
        client.get("/")


def test_more_tiles_and_articles_cost_no_more(
    client: Client, home: HomePage, django_assert_num_queries: Any, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    index = ArticleIndex.objects.get()
    for number in range(3):
        article = Article(title=f"Nouvelle {number}", slug=f"n{number}")
        index.add_child(instance=article)
        published(article)
    client.get("/")
    with django_assert_num_queries(6):
        client.get("/")


def test_the_list_of_articles_costs_the_same_for_one_and_for_ten(
    client: Client, home: HomePage, django_assert_max_num_queries: Any, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    client.get("/nouvelles/")
    with django_assert_max_num_queries(30) as statements:
        client.get("/nouvelles/")
    for_one = len(statements)
    index = ArticleIndex.objects.get()
    for number in range(10):
        article = Article(title=f"Nouvelle {number}", slug=f"n{number}")
        index.add_child(instance=article)
        published(article)
    client.get("/nouvelles/")
    with django_assert_max_num_queries(for_one):
        assert client.get("/nouvelles/").content.decode().count("<time") == 11


def test_a_tile_without_a_published_page_is_not_shown(client: Client, home: HomePage) -> None:
    ServicePage.objects.get(slug="entraide").unpublish()
    page = client.get("/").content.decode()
    assert page.count('class="tile"') == 5
    assert "/entraide/" not in page


def test_a_link_has_one_end(home: HomePage) -> None:
    with pytest.raises(ValidationError):
        Tile(home=home, label="Rien", wall="clay", pictures="gaufrier").clean()
    with pytest.raises(ValidationError):
        Tile(
            home=home,
            label="Deux",
            page=home.page_ptr,
            target=Target.CATALOGUE,
            wall="clay",
            pictures="gaufrier",
        ).clean()


def test_the_banner_stands_between_its_two_moments(client: Client, home: HomePage) -> None:
    navigation = Navigation.objects.get()
    navigation.alert_text = "Pas d’eau chaude ce matin."
    navigation.alert_level = AlertLevel.URGENT
    navigation.alert_starts_at = NOW.replace(hour=10)
    navigation.alert_ends_at = NOW.replace(hour=12)
    navigation.save()
    page = client.get("/").content.decode()
    assert "Pas d’eau chaude ce matin." in page
    assert "alert--urgent" in page
    with time_machine.travel(NOW.replace(hour=13), tick=False):
        assert "Pas d’eau chaude" not in client.get("/").content.decode()


def test_a_menu_entry_is_marked_on_its_page_and_below(client: Client, home: HomePage) -> None:
    assert 'href="/services/" aria-current="page"' in client.get("/services/").content.decode()
    assert 'aria-current="page"' not in client.get("/").content.decode()


def test_a_new_menu_entry_is_there_for_the_next_reader(client: Client, home: HomePage) -> None:
    client.get("/")
    navigation = Navigation.objects.get()
    navigation.menu_items.add(
        MenuItem(label="Chercher partout", target=Target.SEARCH, sort_order=9)
    )
    navigation.save()
    assert "Chercher partout" in text_of(client.get("/"))


def test_a_member_keeps_their_own_place_on_another_home(
    client: Client, place: Place, home: HomePage
) -> None:
    second = PlaceFactory(slug="pigeonnier", name="Conciergerie du Pigeonnier")
    build_site(second)
    client.force_login(MemberFactory(place=second).user)
    assert "Conciergerie du Pigeonnier" in client.get("/").content.decode()


def test_the_declaration_says_not_conforming_until_an_audit_says_otherwise(
    client: Client, home: HomePage
) -> None:
    assert "Accessibilité : non conforme" in text_of(client.get("/")).replace(NBSP, " ")
    page = AccessibilityPage.objects.get()
    assert "Aucun audit n’a encore été fait" in text_of(client.get("/accessibilite/"))
    assert "Défenseur des droits" in text_of(client.get("/accessibilite/"))
    page.state = "partial"
    with pytest.raises(ValidationError) as refused:
        page.full_clean()
    assert {"criteria_percent", "audited_on", "auditor"} <= set(refused.value.message_dict)
    page.criteria_percent, page.audited_on, page.auditor = 72, date(2027, 3, 1), "Cabinet Lisible"
    page.full_clean()
    published(page)
    footer = text_of(client.get("/")).replace(NBSP, " ")
    assert "Accessibilité : partiellement conforme" in footer
    words = text_of(client.get("/accessibilite/")).replace(NBSP, " ")
    assert "72 % des critères" in words
    assert "Cabinet Lisible" in words


@pytest.mark.parametrize(("state", "percent"), [("full", 99), ("partial", 49), ("partial", 100)])
def test_a_state_that_the_figures_contradict_is_refused(
    home: HomePage, state: str, percent: int
) -> None:
    page = AccessibilityPage.objects.get()
    page.state, page.criteria_percent = state, percent
    page.audited_on, page.auditor = date(2027, 3, 1), "Cabinet Lisible"
    with pytest.raises(ValidationError) as refused:
        page.full_clean()
    assert set(refused.value.message_dict) == {"state"}


def test_the_scheme_lists_its_actions_by_year(client: Client, home: HomePage) -> None:
    scheme = AccessibilityScheme.objects.get()
    assert list(scheme.by_year()) == [2027, 2028, 2029]
    assert "Plan d’action 2028" in text_of(client.get("/schema-accessibilite/"))
    scheme.last_year = 2031
    with pytest.raises(ValidationError):
        scheme.full_clean()


def test_labels_of_blocks_are_in_no_migration(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", "cms", "content", verbosity=0)


def test_search_engines_get_pages_and_objects(client: Client, home: HomePage, tool: Any) -> None:
    answer = client.get("/sitemap.xml")
    assert answer.headers["Content-Type"].startswith("application/xml")
    text = answer.content.decode()
    assert "/pain-et-paniers/" in text
    assert tool.get_absolute_url() in text
    robots = client.get("/robots.txt").content.decode()
    assert "Disallow: /admin/" in robots
    assert "Sitemap: http://testserver/sitemap.xml" in robots
