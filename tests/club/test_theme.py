import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from club.kernel.theme import contrast, distance, faults_of
from club.models import Landlord


def test_the_measured_contrasts_of_the_palette():
    assert round(contrast("#2B2420", "#FBF5E9"), 1) == 14.1
    assert round(contrast("#FFF9EC", "#1F5641"), 1) == 8.1
    assert distance("#1F5641", "#1F5641") == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"on_action": "#3A6B56"}, "on_action"),
        ({"action": "#9AC7B4", "on_action": "#000000"}, "action"),
        ({"light": "#2A6A50"}, "light"),
        ({"paper": "#7A6A50"}, "paper"),
        ({"house": "#F3E6CF"}, "house"),
        ({"action": "#8F3D28"}, "action"),  # too close to the brick of errors
    ],
)
def test_a_colour_that_cannot_be_read_is_refused_with_the_reason(changes, field):
    landlord = Landlord(name="Bailleur", slug="bailleur", **changes)
    assert field in faults_of(landlord)
    with pytest.raises(ValidationError) as error:
        landlord.clean()
    assert field in error.value.message_dict


def test_the_palette_of_the_house_is_accepted():
    assert faults_of(Landlord(name="Bailleur", slug="bailleur")) == {}


@pytest.mark.django_db
def test_the_stylesheet_sets_the_six_variables_and_no_more(client, place):
    page = client.get(reverse("theme", args=[place.landlord_id, place.rules_stamp[:12]]))
    assert page["Content-Type"] == "text/css"
    assert page.content.decode().count("--") == 6
