"""The page of every component in every state, and the uploads of a small installation."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.static import serve


def upload(request: HttpRequest, path: str) -> HttpResponseBase:
    """An upload from the disk; in production the front server or the S3 store gives it."""
    return serve(request, path, document_root=str(settings.MEDIA_ROOT))


class ExampleForm(forms.Form):
    """One field of each kind; it is shown, never stored."""

    first_name = forms.CharField(label=gettext_lazy("Votre prénom"))
    phone = forms.CharField(
        label=gettext_lazy("Votre téléphone"),
        help_text=gettext_lazy("10 chiffres, par exemple 06 39 98 12 34"),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        min_length=10,
        error_messages={"min_length": gettext_lazy("Écrivez votre numéro de téléphone")},
    )
    email = forms.EmailField(label=gettext_lazy("Votre e-mail"), required=False)
    birthday = forms.DateField(
        label=gettext_lazy("Votre date de naissance"),
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )
    department = forms.ChoiceField(
        label=gettext_lazy("Rayon"),
        choices=[("cook", gettext_lazy("Cuisiner")), ("garden", gettext_lazy("Jardiner"))],
    )
    contact = forms.ChoiceField(
        label=gettext_lazy("Comment vous prévenir"),
        choices=[
            ("email", gettext_lazy("Par e-mail")),
            ("sms", gettext_lazy("Par SMS")),
            ("none", gettext_lazy("Je passerai à l’accueil")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choisissez comment vous prévenir")},
    )
    needs = forms.MultipleChoiceField(
        label=gettext_lazy("Il vous faut aussi"),
        choices=[
            ("bag", gettext_lazy("Un sac de transport")),
            ("notice", gettext_lazy("Le mode d’emploi")),
        ],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    news = forms.BooleanField(
        label=gettext_lazy("Recevoir les nouvelles de la conciergerie"), required=False
    )
    words = forms.CharField(
        label=gettext_lazy("Votre question"), widget=forms.Textarea, required=False
    )
    photo = forms.FileField(label=gettext_lazy("Une photo"), required=False)


def example_cards() -> list[dict[str, Any]]:
    return [
        {
            "url": "#objets",
            "name": _("Gaufrier"),
            "picture": "gaufrier",
            "wall": "clay",
            "availability": {"state": "free", "text": _("Disponible aujourd’hui")},
            "action_label": _("Réserver"),
        },
        {
            "url": "#objets",
            "name": _("Shampouineuse"),
            "picture": "shampouineuse",
            "wall": "water",
            "availability": {"state": "back", "text": _("De retour jeudi 18 mars")},
            "action_label": _("Me mettre en attente"),
        },
    ]


def example_ticket() -> dict[str, Any]:
    return {
        "title": _("Gaufrier"),
        "reference": "R 482 17",
        "picture": "gaufrier",
        "wall": "clay",
        "rows": [
            {
                "icon": "calendar",
                "label": _("À retirer"),
                "strong": _("Mercredi 10 mars"),
                "text": _("entre 9 h et 12 h"),
            },
            {
                "icon": "pin",
                "label": _("Où"),
                "strong": _("Conciergerie des Tilleuls"),
                "text": _("7, allée des Tilleuls"),
            },
            {
                "icon": "return",
                "label": _("À rendre"),
                "strong": _("Mercredi 17 mars"),
                "text": _("avant 18 h"),
            },
        ],
    }


def components(request: HttpRequest) -> HttpResponse:
    refused = ExampleForm({"first_name": "Samira", "phone": "06 39", "department": "cook"})
    response = render(
        request,
        "content/components.html",
        {
            "empty_form": ExampleForm(auto_id="empty_%s"),
            "refused_form": refused,
            "cards": example_cards(),
            "ticket": example_ticket(),
        },
    )
    response["X-Robots-Tag"] = "noindex"
    return response
