"""A household at the desk: a person joins another with the code that they were given."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from club.access import StaffRequest, staff_required
from club.domain.household import adults_of, join_household
from club.enums import Role
from club.forms import InvitationForm, add_refusal
from club.kernel.refusal import Refused
from club.models import Member


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_required(Role.CONCIERGE, Role.OFFICER)
def join(request: StaffRequest, pk: int) -> HttpResponse:
    """Nobody is moved without the code: the household itself gives it."""
    member = get_object_or_404(
        Member.objects.select_related("user", "household"),
        pk=pk,
        place=request.place,
        user__is_active=True,
    )
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            join_household(member, form.cleaned_data["code"], by=request.user, now=timezone.now())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("C’est fait. Le foyer est réuni."))
            return redirect(f"{reverse('desk:home')}?membre={pk}")
    context = {"who": member, "adults": adults_of(member.household), "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "club/household.html", context, status=status)
