"""The API of the whole house, put together from each room's routes."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from club.api.problems import MEDIA_TYPE, ProblemRaised
from club.api.routes import router as club_router
from club.api.texts import gettext_lazy
from concierge.api import router as concierge_router
from events.api import router as events_router
from marketplace.api import router as marketplace_router
from portal.api import router as bookings_router


class StrictParser(Parser):
    """JSON and nothing else: no NaN, no other media type; the parsed body is kept."""

    def parse_body(self, request: HttpRequest) -> Any:
        media_type = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise ProblemRaised(415, "media_type", _("Envoyez du JSON (application/json)."))
        body = json.loads(request.body, parse_constant=refuse_constant)
        request.parsed_body = body  # type: ignore[attr-defined]
        return body


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


class Api(NinjaAPI):
    """Errors leave as exceptions: a call's transaction ends before `ApiPathMiddleware`
    makes a problem document of them. The published document says the media type of
    problems and the headers of answers.
    """

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        raise exc

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**kwargs)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if status >= 400:
                        answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
                    else:
                        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
                    if status == 201:
                        answer["headers"]["Location"] = {"schema": {"type": "string"}}
                    if status in {429, 503}:
                        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
        return schema


api = Api(
    title="Conciergerie",
    version="1.0.0",
    description=gettext_lazy(
        "Emprunter, réserver, annuler : les mêmes règles que sur le site. "
        "Chaque demande porte un jeton d’accès (Authorization: Bearer …), créé sous « Mon espace »."
    ),
    urls_namespace="api",
    docs_url=None,
    parser=StrictParser(),
)
api.add_router("", club_router)
api.add_router("", concierge_router)
api.add_router("", events_router)
api.add_router("", marketplace_router)
api.add_router("", bookings_router)
