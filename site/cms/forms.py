from django import forms
from django.utils.translation import gettext_lazy as _

from cms.models import DefectReport


class DefectForm(forms.ModelForm):
    """What could not be used, in the person's own words; the e-mail is theirs to give."""

    class Meta:
        model = DefectReport
        fields = ["page", "what", "email"]
        labels = {
            "page": _("Sur quelle page ?"),
            "what": _("Que s’est-il passé ?"),
            "email": _("Votre e-mail, si vous voulez une réponse"),
        }
        help_texts = {
            "page": _("L’adresse de la page, ou ce que vous vouliez faire."),
            "what": _("Ce que vous avez essayé, et avec quel appareil."),
            "email": _("Facultatif. Il sert à vous répondre, et à rien d’autre."),
        }
        error_messages = {
            "page": {"required": _("Écrivez sur quelle page vous étiez.")},
            "what": {"required": _("Écrivez ce qui s’est passé.")},
        }
        widgets = {"what": forms.Textarea(attrs={"rows": 5})}
