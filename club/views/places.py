"""Staff with several places say where they work today."""

from allauth.account.utils import get_next_redirect_url
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from club.access import PLACE_KEY, staff_places, way_in


def choose_place(request: HttpRequest) -> HttpResponse:
    """The choice is kept in the session until another one is made."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("staff-login"))
    places = staff_places(request.user)
    if not places.exists():
        raise PermissionDenied
    elsewhere = way_in(request)
    if elsewhere is not None:
        return elsewhere
    target = get_next_redirect_url(request) or reverse("desk:home")
    if request.method == "POST":
        chosen = request.POST.get("place", "")
        is_key = chosen.isdecimal() and len(chosen) < 19
        place = get_object_or_404(places, pk=int(chosen) if is_key else 0)
        request.session[PLACE_KEY] = place.pk
        return redirect(target)
    context = {"places": places, "next_url": target, "current": request.session.get(PLACE_KEY)}
    return render(request, "club/choose_place.html", context)
