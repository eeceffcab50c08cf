"""At the desk: erasing somebody who asks for it, and who may have no telephone."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from club.access import StaffRequest, staff_required
from club.domain.erasure import erase_member, obstacles
from club.enums import Role
from club.forms import ErasureForm, add_refusal
from club.kernel.refusal import Refused
from club.models import Member


@never_cache
@staff_required(Role.CONCIERGE, Role.OFFICER)
def erase(request: StaffRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(
        Member.objects.select_related("user", "household"),
        pk=pk,
        place=request.place,
        user__is_active=True,
    )
    now = timezone.now()
    form = ErasureForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            erase_member(member, by=request.user, now=now)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Le compte est effacé."))
            return redirect("desk:home")
    context = {"who": member, "form": form, "reasons": obstacles(member, now)}
    status = 422 if form.is_bound else 200
    return render(request, "club/erase.html", context, status=status)
