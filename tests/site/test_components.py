"""The design system: what each page relies on, and what the page policy forbids."""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.template import Context, Template
from django.template.loader import render_to_string

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
CSS = sorted((ROOT / "site" / "static" / "css").rglob("*.css"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


class Page(HTMLParser):
    """The tags of a page with their attributes, in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == name]

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] or "" for _, attrs in self.tags if "id" in attrs]


class PhoneForm(forms.Form):
    phone = forms.CharField(label="Votre téléphone", help_text="10 chiffres", min_length=10)
    contact = forms.ChoiceField(
        label="Comment", choices=[("a", "Par SMS"), ("b", "Par e-mail")], widget=forms.RadioSelect
    )
    news = forms.BooleanField(label="Recevoir les nouvelles", required=False)


def drawn(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


@pytest.fixture
def page(client, db) -> Page:
    response = client.get("/composants/")
    assert response.status_code == 200
    assert response["X-Robots-Tag"] == "noindex"
    return Page(response.content.decode())


def test_the_components_page_has_one_title_and_unique_ids(page):
    assert len(page.all("h1")) == 1
    assert sorted(page.ids) == sorted(set(page.ids))
    assert page.all("html")[0]["lang"] == "fr"


def test_nothing_on_it_needs_an_inline_script_or_style(page):
    assert page.all("style") == []
    assert all("src" in script for script in page.all("script"))
    for tag, attrs in page.tags:
        assert "style" not in attrs, tag
        assert not [name for name in attrs if name.startswith("on")], tag


def test_each_file_and_each_symbol_that_it_names_exists(page):
    named = [attrs.get("href") or attrs.get("src") or "" for _, attrs in page.tags]
    missing = {
        address
        for address in named
        if address.startswith("/static/")
        and not finders.find(address.removeprefix("/static/").split("#")[0])
    }
    assert missing == set()
    sprite = Path(finders.find("img/icons.svg")).read_text()
    symbols = set(re.findall(r'symbol id="([^"]+)"', sprite))
    used = {(use["href"] or "").split("#")[1] for use in page.all("use")}
    assert used <= symbols


def test_every_icon_named_in_a_template_is_in_the_sprite():
    sprite = Path(finders.find("img/icons.svg")).read_text()
    symbols = set(re.findall(r'symbol id="([^"]+)"', sprite))
    named = {
        (path.name, name)
        for path in TEMPLATES
        for name in re.findall(r'{% icon "([^"]+)" %}', path.read_text())
    }
    assert {(file, name) for file, name in named if name not in symbols} == set()


def test_a_refused_form_names_its_errors_and_leads_to_the_fields():
    form = PhoneForm({"phone": "06"})
    page = Page(drawn("{% error_summary form %}{{ form.as_div }}", form=form))
    targets = [link["href"] for link in page.all("a")]
    assert targets == ["#id_phone", "#id_contact_0"]
    assert {target[1:] for target in targets} <= set(page.ids)
    field = next(attrs for attrs in page.all("input") if attrs["id"] == "id_phone")
    assert field["value"] == "06"
    assert field["aria-invalid"] == "true"
    assert field["aria-describedby"] == "id_phone_helptext id_phone_error"
    assert {"id_phone_helptext", "id_phone_error"} <= set(page.ids)
    assert page.all("fieldset")[0]["aria-describedby"] == "id_contact_error"


def test_a_form_without_errors_has_no_summary():
    assert drawn("{% error_summary form %}", form=PhoneForm()).strip() == ""


def test_each_control_has_its_label():
    page = Page(drawn("{{ form.as_div }}", form=PhoneForm()))
    labelled = {label["for"] for label in page.all("label")}
    assert labelled == {attrs["id"] for attrs in page.all("input")}


@pytest.mark.parametrize(
    ("errors", "start"), [(True, "<title>Erreur\u00a0: "), (False, "<title> –")]
)
def test_the_title_says_that_there_is_an_error(rf, errors, start):
    form = PhoneForm({"phone": ""} if errors else None)
    assert start in render_to_string("base.html", {"form": form})


def test_a_slot_is_a_link_a_button_or_a_word():
    assert 'href="/x"' in drawn('{% slot_button label="Venir" sub="9 h" url="/x" %}')
    button = Page(drawn('{% slot_button label="Venir" name="day" value="3" primary=True %}'))
    assert button.all("button")[0]["value"] == "3"
    taken = Page(drawn('{% slot_button label="Jeudi" url="/x" taken=True %}'))
    assert taken.all("a") + taken.all("button") == []


def test_undo_is_a_form_with_its_key():
    source = drawn('{% desk_result kind="done" word="Prêté :" text="Gaufrier" undo_url="/u" %}')
    assert 'method="post" action="/u"' in source
    assert "<kbd>F9</kbd>" in source


def test_the_next_page_keeps_the_filters(rf):
    page_obj = Paginator(range(30), 10).page(2)
    request = rf.get("/", {"q": "perceuse", "page": "2"})
    page = Page(drawn("{% pagination page_obj %}", page_obj=page_obj, request=request))
    assert [link["href"] for link in page.all("a")] == ["?q=perceuse&page=1", "?q=perceuse&page=3"]


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_a_page_of_last_resort_needs_no_context(name):
    page = Page(render_to_string(name))
    files = [link["href"] for link in page.all("link")] + [img["src"] for img in page.all("img")]
    assert [f for f in files if not finders.find((f or "").removeprefix("/static/"))] == []


@pytest.mark.django_db
def test_a_page_that_does_not_exist_says_where_to_go(client):
    response = client.get("/nulle-part/")
    assert response.status_code == 404
    assert "Cette page n’existe pas" in response.content.decode()


def test_the_style_sheets_stay_light_and_chain_nothing():
    weight = sum(len(gzip.compress(path.read_bytes())) for path in CSS)
    assert weight < 25 * 1024
    assert [path.name for path in CSS if "@import" in path.read_text()] == []
    # Wagtail's own sheet has no layer, and would win over whatever lies in one.
    ours = [path for path in CSS if not path.name.startswith("admin_")]
    assert [path.name for path in ours if "@layer" not in path.read_text()] == []
