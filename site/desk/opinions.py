"""The calls to people who were not happy: who, about what, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from club.access import StaffRequest
from club.domain.opinions import note_call, undo_call
from club.enums import CallOutcome
from club.kernel import opinions, words
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Opinion, User
from club.queries.opinions import calls_to_make, noted_today
from concierge.queries.stays import without_absences
from desk.access import staff
from desk.views import result_said, said

ACTS = {
    "regle": CallOutcome.SETTLED,
    "pas-de-reponse": CallOutcome.NO_ANSWER,
    "transmis": CallOutcome.PASSED_ON,
}
UNDO = "defaire"


@dataclass(frozen=True)
class Line:
    """One person on the list."""

    opinion: Opinion
    now: datetime

    @property
    def phone(self) -> str:
        return self.user.phone

    @property
    def reach(self) -> str:
        if self.user.phone:
            return spoken_phone(self.user.phone)
        return self.user.email or _("ni téléphone ni e-mail")

    @property
    def user(self) -> User:
        assert self.opinion.member is not None
        return self.opinion.member.user

    @property
    def about(self) -> str:
        return opinions.named(self.opinion.kind, self.opinion.label)

    @property
    def when(self) -> str:
        """When it was said."""
        assert self.opinion.answered_at is not None
        return words.day(local_day(self.opinion.answered_at), local_day(self.now))

    @property
    def why(self) -> str:
        reason = self.opinion.get_reason_display()
        return str(capfirst(reason)) if reason else _("Sans raison donnée")

    @property
    def outcome(self) -> str:
        return str(capfirst(self.opinion.get_outcome_display()))


def known(request: StaffRequest, rows: QuerySet[Opinion]) -> QuerySet[Opinion]:
    return without_absences(rows, request.user, request.place)


@staff
@never_cache
@require_safe
def calls(request: StaffRequest) -> HttpResponse:
    """Who waits for a call of this place, and what was noted today."""
    now = timezone.now()
    context = {
        "lines": [Line(one, now) for one in known(request, calls_to_make(request.place))],
        "noted": [Line(one, now) for one in known(request, noted_today(request.place, now))],
        "result": result_said(request),
    }
    return render(request, "desk/opinion_calls.html", context)


@staff
@never_cache
@require_POST
def act(request: StaffRequest, reference: str, name: str) -> HttpResponse:
    rows = known(request, Opinion.objects.select_related("member__user"))
    found = get_object_or_404(rows, reference=reference, place=request.place, member__isnull=False)
    here, now = reverse("desk:opinion-calls"), timezone.now()
    if name != UNDO and name not in ACTS:
        raise Http404
    try:
        if name == UNDO:
            noted = undo_call(found, by=request.user, now=now)
        else:
            noted = note_call(found, ACTS[name], by=request.user, now=now)
    except Refused as refused:
        return said(here, "refused", _("Refusé."), str(refused.reasons[0].text))
    who = str(noted.member)
    if name == UNDO:
        return said(here, "returned", _("Défait."), _("%(who)s est à appeler.") % {"who": who})
    if noted.called_at is None:
        text = _("%(who)s reste sur la liste, pour un deuxième appel.") % {"who": who}
        return said(here, "attention", _("Noté."), text)
    return said(here, "done", _("Noté."), f"{who}, {noted.get_outcome_display()}.")
