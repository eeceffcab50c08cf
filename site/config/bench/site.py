"""The site that the bench loads: the real one, and bare views to hold it against.

`granian config.bench.site:application`. The bare views lie under `/api/`, so they
take the same short way through the house as the API: nothing but their own work is
between them and the server. One also lies outside, behind the middleware that each
page of the site passes.
"""

import json
import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.bench.bare import BARE_BOOKING

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

PAGE = b"<!doctype html><title>Bare</title>" + b"<p>Nothing but bytes.</p>" * 600


@csrf_exempt
def bare_booking(request: HttpRequest) -> HttpResponse:
    wanted = json.loads(request.body)
    numbers = {name: int(wanted[name]) for name in ("member", "tool", "day")}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BARE_BOOKING.format(**numbers))
        made = cursor.rowcount
    return HttpResponse(f'{{"made": {made}}}', status=201 if made else 409)


def bare_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


def bare_statement(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse(PAGE)


urlpatterns: list[Any] = [
    path("api/bare/booking", bare_booking),
    path("api/bare/page", bare_page),
    path("api/bare/statement", bare_statement),
    path("healthz/bare", bare_page),
]

settings.ROOT_URLCONF = __name__
application = get_wsgi_application()

from config.urls import urlpatterns as real_patterns  # noqa: E402

urlpatterns += real_patterns
