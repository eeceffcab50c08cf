"""Wagtail's moderation with one task of our own: the officers of the partner's landlord."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.forms import TaskStateCommentForm
from wagtail.models import Task

from club.enums import Role
from club.models import Assignment, User
from marketplace.models.offers import Offer


class WhyForm(TaskStateCommentForm):
    """The partner reads why: a refusal without a reason helps nobody."""

    comment = forms.CharField(
        label=_("Pourquoi"),
        help_text=_("Le partenaire lit cette phrase."),
        max_length=300,
        widget=forms.Textarea({"rows": 3}),
    )


class OfficerApproval(Task):
    """A task for the officers of the thing's own landlord, and for nobody of another's."""

    class Meta:
        verbose_name = _("accord de la chargée de mission")
        verbose_name_plural = _("accords de la chargée de mission")

    def is_officer(self, obj: Any, user: User) -> bool:
        if user.is_superuser:
            return True
        landlord = obj.partner.landlord_id
        held = Assignment.objects.filter(user=user, role=Role.OFFICER)
        return held.filter(place__landlord=landlord).exists()

    def user_can_access_editor(self, obj: Any, user: User) -> bool:
        return self.is_officer(obj, user)

    def locked_for_user(self, obj: Any, user: User) -> bool:
        return not self.is_officer(obj, user)

    def get_actions(self, obj: Any, user: User) -> list[Any]:
        if not self.is_officer(obj, user):
            return []
        return [
            ("reject", _("Refuser, en disant pourquoi"), True),
            ("approve", _("Mettre en ligne"), False),
        ]

    def get_form_for_action(self, action: str) -> type[forms.Form]:
        return WhyForm if action == "reject" else TaskStateCommentForm

    def get_task_states_user_can_moderate(self, user: User, **kwargs: Any) -> models.QuerySet[Any]:
        """Those of one's own landlords: Wagtail's own lists ask for no more than this."""
        offers = Offer.objects.all()
        if not user.is_superuser:
            held = Assignment.objects.filter(user=user, role=Role.OFFICER)
            offers = offers.filter(partner__landlord__in=held.values("place__landlord"))
        numbers = [str(pk) for pk in offers.values_list("pk", flat=True)]
        return self.task_states.filter(
            status="in_progress",
            workflow_state__object_id__in=numbers,
            workflow_state__base_content_type__app_label="marketplace",
            workflow_state__base_content_type__model="offer",
        )

    def deactivate(self, user: User | None = None) -> None:
        """What waits goes on waiting: Wagtail would put it on line, no task being left."""
        self.active = False
        self.save()

    @classmethod
    def get_description(cls) -> Any:
        return _("Une chargée de mission du bailleur relit ce qu’un partenaire propose.")
