"""Who may enter which screens. Each screen says so by one decorator.

Staff screens ask for more than a signed-in account: a role at a place, and a
session that was opened with the password and the second factor. In tests,
`tests.signin.sign_in_staff` opens such a session.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from club.context import member_of
from club.kernel.homes import home_of
from club.models import Assignment, Member, Place, User
from club.queries.team import is_team

View = Callable[..., HttpResponse]


class MemberRequest(HttpRequest):
    """What a view under `member_required` is given."""

    user: User
    member: Member


class StaffRequest(HttpRequest):
    """What a view under `staff_required` is given."""

    user: User
    place: Place


PLACE_KEY = "place"


def staff_places(user: User, *roles: str) -> QuerySet[Place]:
    """The places where the user holds one of `roles` (any role if none is named)."""
    places = Place.objects.select_related("landlord")
    if user.is_superuser:
        return places
    held = Assignment.objects.filter(user=user)
    if roles:
        held = held.filter(role__in=roles)
    return places.filter(pk__in=held.values("place"))


def methods_of(request: HttpRequest) -> set[str]:
    return {record["method"] for record in get_authentication_records(request, request.user)}


def has_second_factor(user: User) -> bool:
    return is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])


def way_in(request: HttpRequest) -> HttpResponse | None:
    """Where to send a member of staff whose session is not opened with both factors."""
    methods = methods_of(request)
    if "password" not in methods:
        return redirect_to_login(request.get_full_path(), reverse("staff-login"))
    if "mfa" in methods:
        return None
    if not has_second_factor(request.user):  # type: ignore[arg-type]
        return redirect("mfa_index")
    query = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('mfa_reauthenticate')}?{query}")


FRESH_SECONDS = 30 * 60
"""Money that goes back, and second signatures, ask staff for a proof no older than this."""


def is_fresh(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    latest: float = max((record["at"] for record in records), default=0)
    return time.time() - latest <= FRESH_SECONDS


def prove(following: str) -> HttpResponse:
    """Ask for the code, then go on to that page."""
    return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': following})}")


def fresh_proof(view: View) -> View:
    """Under `staff`. The page comes back after the code; what it asked is pressed again."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        return prove(request.get_full_path())

    return wrapped


def member_required(view: View) -> View:
    """For members alone; `request.member` is who it is."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        member = member_of(request)
        if member is None:
            context = {"works_here": is_team(request.user), "home": home_of(request.user)}
            return render(request, "club/no_member.html", context, status=403)
        request.member = member  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return wrapped


def staff_required(*roles: str) -> Callable[[View], View]:
    """For staff with one of `roles` somewhere; `request.place` is where they work now.

    Somebody with several places chooses once; the choice is kept in the session.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("staff-login"))
            places = {place.pk: place for place in staff_places(request.user, *roles)}
            if not places:
                raise PermissionDenied
            elsewhere = way_in(request)
            if elsewhere is not None:
                return elsewhere
            place = places.get(request.session.get(PLACE_KEY))
            if place is None and len(places) > 1:
                query = urlencode({"next": request.get_full_path()})
                return redirect(f"{reverse('club:choose-place')}?{query}")
            request.place = place or next(iter(places.values()))  # type: ignore[attr-defined]
            request._place = request.place  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


WHOLE_REPORTS = ("site_history", "workflow", "workflow_tasks")


class AdminDoorMiddleware:
    """Wagtail's admin opens to staff with both factors; residents and partners never enter."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        login_page = reverse("wagtailadmin_login")
        if not request.user.is_authenticated or request.path_info == login_page:
            target = request.GET.get("next") or reverse("wagtailadmin_home")
            if request.path_info != login_page:
                target = request.get_full_path()
            return redirect_to_login(target, reverse("staff-login"))
        if not is_team(request.user):
            raise PermissionDenied
        # Wagtail's reports show each kind of thing whole: names of other places' people too.
        whole = tuple(reverse(f"wagtailadmin_reports:{name}") for name in WHOLE_REPORTS)
        if request.path_info.startswith(whole) and not request.user.is_superuser:
            raise PermissionDenied
        return way_in(request) or self.get_response(request)
