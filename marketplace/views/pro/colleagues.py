"""Who acts for a partner: one more, one less, oneself."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from club.forms import add_refusal
from club.kernel import limits
from club.kernel.refusal import Reason, Refused
from marketplace.access import PartnerRequest, partner_required
from marketplace.domain import people
from marketplace.forms.page import ColleagueForm
from marketplace.queries.own import own_people

MOST_A_DAY, DAY_SECONDS = 10, 86_400
"""A firm's own people: more in a day are strangers' addresses being tried."""
OF_THE_ACCOUNT = {"is_team", "is_closed", "two_accounts"}
"""What a partner is not told of an account that exists already."""


def told(refused: Refused) -> Refused:
    text = _("Cette adresse ne peut pas être ajoutée. Appelez l’accueil.")
    return Refused(
        [
            Reason("not_possible", text, "email") if reason.code in OF_THE_ACCOUNT else reason
            for reason in refused.reasons
        ]
    )


@require_http_methods(["GET", "HEAD", "POST"])
@partner_required()
def add(request: PartnerRequest) -> HttpResponse:
    now = timezone.now()
    form = ColleagueForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        key = f"partner-people:{request.partner.pk}"
        if limits.hit(key, MOST_A_DAY, DAY_SECONDS, now).is_spent:
            form.add_error(None, _("C’est assez pour aujourd’hui. Appelez l’accueil."))
        else:
            try:
                people.add_person(request.partner, **form.cleaned_data, by=request.user, now=now)
                messages.success(request, _("C’est fait. Un lien est parti à son adresse."))
                return redirect("pro:page")
            except Refused as refused:
                add_refusal(form, told(refused))
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/pro/add_person.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@partner_required()
def remove(request: PartnerRequest, pk: int) -> HttpResponse:
    """A page that asks once: who is taken away needs a new link to come back."""
    person = get_object_or_404(own_people(request.partner), pk=pk)
    is_self = person.pk == request.person.pk
    if request.method != "POST":
        is_last = not own_people(request.partner).exclude(pk=pk).exists()
        context = {"person": person, "is_self": is_self, "is_last": is_last}
        return render(request, "marketplace/pro/remove_person.html", context)
    try:
        people.leave(person, by=request.user, now=timezone.now())
    except Refused as refused:
        for reason in refused.reasons:
            messages.info(request, str(reason.text))
    else:
        done = _("Vous avez quitté cet espace.") if is_self else _("Cette personne n’entre plus.")
        messages.success(request, done)
    return redirect("/" if is_self else "pro:page")
