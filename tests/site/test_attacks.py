"""What somebody tries who means harm, or whose keyboard does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.urls import reverse
from wagtail.log_actions import log

from club.enums import Role
from club.models import Assignment, Member, Place, User
from concierge.models import Copy
from config.wsgi import application
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.concierge import CopyFactory, LoanFactory
from tests.signin import sign_in_staff

HUGE = 10**20
ODD = [
    "\x00", "a\x00b", "😀" * 50, str(HUGE), "9" * 5000, "-1", "²", "٣", "9999-12-31",
    "0001-01-01", "9999-12-31T23:59", "'\"><script>", "%s%n{0}", "a" * 100_000, "\r\nX: y",
    "\ufdd0\u202e", "=HYPERLINK(1)",
]  # fmt: skip
QUERY = [
    "q", "page", "jours", "duree", "lieu", "choix", "membre", "objet", "foyer", "acte", "dit",
    "next", "code", "rayon", "disponible", "p", "ordering", "collection_id",
]  # fmt: skip


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(place: Place) -> Client:
    client = Client(raise_request_exception=False)
    sign_in_staff(client, AssignmentFactory(place=place).user)
    return client


# -- What no browser sends ---------------------------------------------------------------


@pytest.mark.parametrize("charset", ["rot13", "unicode_escape", "utf-7", "utf-16", "idna"])
def test_a_request_does_not_choose_how_its_words_are_decoded(charset: str) -> None:
    """Some codecs break Django's own request before any middleware sees it."""
    environ = RequestFactory().get("/recherche/").environ
    environ |= {"QUERY_STRING": "q=%5Cud800", "CONTENT_TYPE": f"text/plain; charset={charset}"}
    assert application.request_class(environ).GET["q"] == "\\ud800"


@pytest.mark.parametrize(
    "path",
    ["/x%00y/", "/c/%00", "/mon-espace/agenda/%00.ics", "/emprunter/objet/%00/", "/%00",
     "/documents/1/%00", "/api/v1/tools/%00"],
)  # fmt: skip
def test_a_nul_in_an_address_finds_nothing(place: Place, path: str) -> None:
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code in {400, 401, 404}


def test_a_nul_in_the_session_cookie_is_refused(place: Place, settings: Any) -> None:
    client = Client(raise_request_exception=False)
    client.cookies.load(f'{settings.SESSION_COOKIE_NAME}="\\000aaaaaaaaaaaa"')
    assert client.get("/compte/connexion/").status_code in {200, 400}


# -- Numbers that no column holds, digits that are none --------------------------------------


def test_a_number_that_no_column_holds_is_nobody(desk: Client, member: Member) -> None:
    for name in (
        "club:letter", "club:card-print", "desk:pay", "desk:receipt", "desk:receipt-cancel",
        "desk:till-day", "desk:till-count",
    ):  # fmt: skip
        assert desk.get(reverse(name, args=[HUGE])).status_code == 404, name
    assert desk.post(reverse("desk:repair", args=[HUGE])).status_code == 404
    resident = Client(raise_request_exception=False)
    resident.force_login(member.user)
    assert resident.get(reverse("portal:token-revoke", args=[HUGE])).status_code == 404


@pytest.mark.parametrize("chosen", ["9" * 5000, str(HUGE), "²", "-1", "", "\x00"])
def test_a_place_that_is_none_is_not_chosen(desk: Client, chosen: str) -> None:
    assert desk.post(reverse("club:choose-place"), {"place": chosen}).status_code == 404


@pytest.mark.parametrize("key", ["²", "٣", "①", "0", "9"])
def test_a_key_that_is_no_digit_chooses_no_line(
    desk: Client, member: Member, copy: Copy, key: str
) -> None:
    """The key left of 1 on a French keyboard writes ²."""
    for state in ({"choix": f"m{member.pk}"}, {"rendu": copy.label}):
        answer = desk.post("/desk/", {"texte": key, **state})
        assert answer.status_code == 200
        assert answer.context["screen"].person is None


# -- Scans that come again --------------------------------------------------------------------


def test_a_scan_of_one_place_comes_again_at_another(
    place: Place, member: Member, copy: Copy
) -> None:
    """Somebody with two places: the number of a deed says nothing at the other counter."""
    here = AssignmentFactory(place=place)
    elsewhere = PlaceFactory(landlord=place.landlord)
    Assignment.objects.create(user=here.user, place=elsewhere, role=Role.CONCIERGE)
    theirs = CopyFactory(tool=copy.tool, place=elsewhere)
    client = Client(raise_request_exception=False)
    sign_in_staff(client, here.user)
    client.post(reverse("club:choose-place"), {"place": place.pk})
    first = client.post("/desk/", {"texte": copy.label, "membre": member.pk, "scan": "77"})
    assert first.context["screen"].result.kind == "done"
    client.post(reverse("club:choose-place"), {"place": elsewhere.pk})
    again = client.post("/desk/", {"texte": theirs.label, "scan": "77"})
    assert again.status_code == 200
    assert member.last_name not in again.content.decode()


# -- Names of other places --------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
def test_the_admins_reports_tell_nobody_of_other_places(place: Place, role: str) -> None:
    samira = MemberFactory(place=place, user__last_name="Vandenbroeck")
    log(samira, "wagtail.edit", user=samira.user)
    client = Client()
    sign_in_staff(client, staff(PlaceFactory(landlord=place.landlord), role))
    reports = ("site_history", "workflow", "workflow_tasks")
    for name in [f"{report}{part}" for report in reports for part in ("", "_results")]:
        answer = client.get(reverse(f"wagtailadmin_reports:{name}"))
        assert answer.status_code in {302, 403}
        assert "Vandenbroeck" not in answer.content.decode()


@pytest.mark.parametrize("role", Role.values)
def test_nobody_gives_roles_to_themselves(place: Place, role: str) -> None:
    user = staff(place, role)
    client = Client()
    sign_in_staff(client, user)
    groups = list(user.groups.values_list("name", flat=True))
    for path in ("wagtailusers_users:edit", "wagtailusers_users:delete"):
        answer = client.post(reverse(path, args=[user.pk]), {"is_superuser": "on"})
        assert answer.status_code == 302
        assert answer["Location"] == reverse("wagtailadmin_home")
    for path in ("wagtailusers_users:add", "wagtailusers_groups:add"):
        assert client.get(reverse(path)).status_code == 302
    client.post(
        reverse("wagtailadmin_account"),
        {"name_email-first_name": "N", "is_superuser": "on", "groups": "1", "is_staff": "on"},
    )
    user = User.objects.get(pk=user.pk)
    assert not user.is_superuser
    assert list(user.groups.values_list("name", flat=True)) == groups
    assert Assignment.objects.filter(user=user).count() == 1


# -- The way out ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
     "https:///evil.example", "\x00//evil.example", "http:evil.example"],
)  # fmt: skip
def test_no_next_leads_out_of_the_house(place: Place, member: Member, target: str) -> None:
    client = Client()
    said = client.post("/langue/", {"language": "en", "next": target})
    assert "evil" not in said["Location"].replace("http:evil", "")
    client.force_login(member.user)
    for name in ("account_login", "account_signup"):
        answer = client.get(reverse(name), {"next": target})
        assert answer.status_code == 302
        assert answer["Location"] == "/mon-espace/"
    sign_in_staff(client, AssignmentFactory(place=place).user)
    for name in ("staff-login", "club:choose-place"):
        send = client.get if name == "staff-login" else client.post
        answer = send(reverse(name) + "?next=" + target, {"place": place.pk})
        assert "evil" not in answer["Location"] and "javascript" not in answer["Location"]


def test_each_answer_says_what_it_may_load(place: Place, member: Member) -> None:
    client = Client(raise_request_exception=False)
    for path in ("/", "/nulle-part/", "/healthz/live", "/api/v1/me", "/api/v1/openapi.json",
                 "/api/v1/rien", "/robots.txt", "/sitemap.xml", "/mon-espace/", "/admin/",
                 "/emprunter/", "/bienvenue/", "/c/rien", "/langue/"):  # fmt: skip
        answer = client.get(path)
        assert "default-src" in answer.headers.get("Content-Security-Policy", ""), path
        assert answer["X-Content-Type-Options"] == "nosniff", path


# -- Odd words everywhere ------------------------------------------------------------

PAGES = {
    "visitor": ["/", "/recherche/", "/emprunter/", "/emprunter/objet/{tool}/", "/bienvenue/",
                "/signaler-un-defaut/", "/compte/connexion/", "/compte/inscription/",
                "/compte/equipe/"],
    "resident": ["/mon-espace/", "/mon-espace/reservations/{loan}/changer/",
                 "/mon-espace/acces/", "/mon-compte/contact/", "/mon-compte/locataire/",
                 "/emprunter/objet/{tool}/", "/emprunter/rayon/{department}/"],
    "concierge": ["/desk/", "/desk/nouveau-membre/", "/desk/pret-oublie/", "/desk/rendre/",
                  "/desk/membre/{member}/abonnement/", "/accueil/choisir/"],
    "officer": ["/admin/member/new/", "/admin/right/new/", "/desk/fermetures/fermer/",
                "/admin/tool/new/", "/admin/copy/new/",
                "/admin/lendingpolicy/new/", "/admin/residence/new/", "/admin/member/",
                "/admin/tool/", "/admin/images/", "/admin/landlord/edit/{landlord}/"],
}  # fmt: skip


def fields_of(page: str) -> tuple[dict[str, str], dict[str, str]]:
    """The form's own fields. Wagtail's counters of lines and chooser keys are its own affair:
    odd ones break its form, for staff alone who forge them.
    """
    names = re.findall(r'<(?:input|select|textarea|button)\b[^>]*\bname="([^"]+)"', page)
    theirs = re.compile(r"csrfmiddlewaretoken|photo|.*-\w+_FORMS")
    kept = dict(re.findall(r'name="([^"]+-\w+_FORMS)" value="(\d+)"', page))
    return {name: "1" for name in names if not theirs.fullmatch(name)}, kept


@pytest.mark.parametrize("actor", PAGES)
def test_odd_words_are_told_and_never_break_a_page(
    place: Place, member: Member, copy: Copy, actor: str
) -> None:
    client = Client(raise_request_exception=False)
    loan = LoanFactory(copy=copy, member=member)
    if actor == "resident":
        client.force_login(member.user)
    elif actor != "visitor":
        sign_in_staff(client, staff(place, actor))
    facts = {
        "tool": copy.tool.public_id, "loan": loan.reference, "member": member.pk,
        "department": copy.tool.department.slug, "landlord": place.landlord_id,
    }  # fmt: skip
    faults = []
    for page in PAGES[actor]:
        path = page.format(**facts)
        names, kept = fields_of(client.get(path).content.decode())
        target = f"{path}reserver/" if actor == "resident" and "objet" in path else path
        for odd in ODD:
            if len(odd) < 6000:
                status = client.get(path, dict.fromkeys(QUERY, odd)).status_code
                faults += [f"GET {path} {odd[:20]!r}"] if status >= 500 else []
            status = client.post(target, {**dict.fromkeys(names, odd), **kept}).status_code
            faults += [f"POST {target} {odd[:20]!r}"] if status >= 500 else []
    assert not faults, "\n".join(faults)
