from django.test import Client

from club.models import Place
from cms.models import DefectReport
from tests.factories.club import LandlordFactory

PATH = "/signaler-un-defaut/"


def test_a_defect_is_kept_and_confirmed(client: Client, place: Place) -> None:
    answer = client.post(PATH, {"page": "/emprunter/", "what": "Le bouton ne parle pas."})
    assert answer.status_code == 302
    report = DefectReport.objects.get()
    assert (report.place, report.page, report.email) == (place, "/emprunter/", "")
    assert "Signalement reçu" in client.get(answer["Location"]).content.decode()


def test_a_refused_form_keeps_what_was_typed(client: Client, place: Place) -> None:
    answer = client.post(PATH, {"page": "", "what": "Rien ne bouge", "email": "pas une adresse"})
    page = answer.content.decode()
    assert "Rien ne bouge" in page
    assert "Écrivez sur quelle page vous étiez." in page
    assert "<title>Erreur" in page
    assert not DefectReport.objects.exists()


def test_too_many_reports_are_stopped(client: Client, place: Place) -> None:
    for _time in range(11):
        answer = client.post(PATH, {"page": "/", "what": "Encore"})
    assert "Trop de messages" in answer.content.decode()
    assert DefectReport.objects.count() == 10


def test_the_form_is_kept_by_no_cache(client: Client, place: Place, settings: object) -> None:
    settings.PAGE_CACHE_SECONDS = 600
    first, second = client.get(PATH), Client().get(PATH)
    assert "no-store" in first["Cache-Control"]
    assert first.cookies["csrftoken"].value != second.cookies["csrftoken"].value


def test_the_theme_without_a_place_is_no_fault(client: Client, db: None) -> None:
    LandlordFactory()
    assert client.get(PATH).status_code == 200
