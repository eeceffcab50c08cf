"""Money that goes back, and second signatures, ask staff for a fresh proof of who they are."""

import time
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from club.access import StaffRequest, View

FRESH_SECONDS = 30 * 60


def is_fresh(request: StaffRequest) -> bool:
    records = get_authentication_records(request, request.user)
    latest: float = max((record["at"] for record in records), default=0)
    return time.time() - latest <= FRESH_SECONDS


def prove(following: str) -> HttpResponse:
    """Ask for the code, then go on to that page."""
    return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': following})}")


def fresh_proof(view: View) -> View:
    """Under `staff`. The page comes back after the code; what it asked is pressed again."""

    @wraps(view)
    def wrapped(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        return prove(request.get_full_path())

    return wrapped
