"""Who calls, what the token allows, and how often."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja.security.http import HttpAuthBase

from club.api.problems import ProblemRaised
from club.enums import Scope
from club.kernel import limits
from club.models import ApiToken, Member
from club.queries.tokens import bearer, bearer_under_lock

WINDOW_SECONDS = 60


def admit_member(request: HttpRequest, token: ApiToken) -> None:
    if not hasattr(token.user, "member"):
        raise ProblemRaised(403, "no_member", _("Ce compte n’est pas celui d’un membre."))


class Bearer(HttpAuthBase):
    """`Authorization: Bearer …`; `admit` refuses whose account is none of those meant."""

    openapi_scheme = "bearer"

    def __init__(
        self, scope: Scope, admit: Callable[[HttpRequest, ApiToken], None] = admit_member
    ) -> None:
        super().__init__()
        self.scope, self.admit = scope, admit

    def __call__(self, request: HttpRequest) -> ApiToken:
        token = sign_in(request)
        if self.scope == Scope.WRITE and token.scope != Scope.WRITE:
            raise ProblemRaised(
                403, "scope", _("Ce jeton permet seulement de lire."),
                WWW_Authenticate='Bearer error="insufficient_scope", scope="write"',
            )  # fmt: skip
        self.admit(request, token)
        return token


reads = Bearer(Scope.READ)
writes = Bearer(Scope.WRITE)


def sign_in(request: HttpRequest) -> ApiToken:
    """The token of this request, read and counted once."""
    if not hasattr(request, "auth"):
        scheme, _space, plain = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not plain:
            raise unknown()
        read = bearer_under_lock if connection.in_atomic_block else bearer
        token = read(plain.strip())
        if token is None:
            raise unknown()
        count(request, token)
        request.auth = token  # type: ignore[attr-defined]
    return token_of(request)


def unknown() -> ProblemRaised:
    return ProblemRaised(
        401, "unauthenticated", _("Donnez un jeton valable dans Authorization."),
        WWW_Authenticate='Bearer realm="conciergerie"',
    )  # fmt: skip


def count(request: HttpRequest, token: ApiToken) -> None:
    allowance = limits.hit(
        f"api:{token.pk}", settings.API_REQUESTS_PER_MINUTE, WINDOW_SECONDS, timezone.now()
    )
    request.allowance = allowance  # type: ignore[attr-defined]
    if allowance.is_spent:
        raise ProblemRaised(
            429, "too_many_requests", _("Trop de demandes. Attendez un instant."),
            Retry_After=str(allowance.resets_in),
        )  # fmt: skip


def token_of(request: HttpRequest) -> ApiToken:
    return request.auth  # type: ignore[attr-defined]


def member_of(request: HttpRequest) -> Member:
    return token_of(request).user.member
