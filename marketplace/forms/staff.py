"""The admin's forms of partners and their papers."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from club.viewsets import ScopedForm
from marketplace.enums import DocumentStatus, RefusedFor, Spoken
from marketplace.files import check_paper
from marketplace.models.partners import clean_siret
from marketplace.queries.fees import has_money


class PartnerForm(ScopedForm):
    languages = forms.MultipleChoiceField(
        label=_("Langues parlées"),
        choices=Spoken.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def clean(self) -> Any:
        cleaned = super().clean()
        gone = [
            line.instance.pk
            for line in self.formsets["conventions"].forms
            if line.instance.pk and line["DELETE"].data
        ]
        if has_money(gone):
            text = _("Cette convention a une participation payée : elle ne s’enlève plus.")
            raise forms.ValidationError(text)
        return cleaned


class LookUpForm(forms.Form):
    """Asks the register before anything is written; the other form then has what it says."""

    siret = forms.CharField(label=_("SIRET"), max_length=30, help_text=_("Quatorze chiffres."))

    def clean_siret(self) -> str:
        return clean_siret(self.cleaned_data["siret"])


class DocumentForm(ScopedForm):
    """What was accepted was read: it is not rewritten, the next paper takes its place."""

    file = forms.FileField(
        label=_("Fichier"),
        help_text=_("PDF ou photo, 10 Mo au plus."),
        widget=forms.FileInput,
        required=False,
    )

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload and not getattr(upload, "_committed", False):
            check_paper(upload)
        return upload

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.instance.pk and self.instance.status != DocumentStatus.RECEIVED:
            raise forms.ValidationError(
                _("Ce papier est déjà vérifié. Refusez-le, ou ajoutez le suivant.")
            )
        return cleaned


class RefuseForm(forms.Form):
    refused_for = forms.ChoiceField(label=_("Pourquoi"), choices=RefusedFor.choices)
