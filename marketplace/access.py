"""The screens of partners: who acts for which firm, asked anew at each page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from club.kernel.homes import Home
from club.models import User
from marketplace.models import Partner, PartnerPerson
from marketplace.queries.people import acting, place_for

PARTNER_KEY = "partner"


class PartnerRequest(HttpRequest):
    """What a view under `partner_required` is given."""

    user: User
    person: PartnerPerson
    partner: Partner


def partner_required(*kinds: str) -> Callable[[Callable[..., HttpResponse]], Any]:
    """For who acts for a partner (of one of `kinds`, if any is named).

    Somebody with several firms works for the one they chose, kept in the session.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @never_cache
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("account_login"))
            people = {one.partner_id: one for one in acting(request.user)}
            chosen = request.session.get(PARTNER_KEY, 0)
            person = people.get(chosen) or next(iter(people.values()), None)
            if person is None:
                return render(request, "marketplace/pro/no_partner.html", status=403)
            request.person = person  # type: ignore[attr-defined]
            request.partner = person.partner  # type: ignore[attr-defined]
            request._place = place_for(person.partner)  # type: ignore[attr-defined]
            if kinds and person.partner.kind not in kinds:
                return render(request, "404.html", status=404)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def partner_home(user: User) -> Home | None:
    if not acting(user).exists():
        return None
    return Home(
        url=reverse("pro:home"),
        label=_("Aller à mon espace partenaire"),
        till=lambda token: f"{reverse('pro:till')}?carte={token}",
    )
