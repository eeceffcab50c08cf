from django import forms
from django.utils.translation import gettext_lazy as _

from club.enums import Scope


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Nom de l’accès"),
        help_text=_("Pour le reconnaître, par exemple : mon agenda familial."),
        max_length=60,
        error_messages={
            "required": _("Donnez un nom à cet accès."),
            "max_length": _("Écrivez 60 lettres au plus."),
        },
    )
    scope = forms.ChoiceField(
        label=_("Il permet de"),
        choices=Scope.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choisissez ce que l’accès permet."),
            "invalid_choice": _("Choisissez ce que l’accès permet."),
        },
    )
