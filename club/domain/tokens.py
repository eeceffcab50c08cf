"""Tokens for the API: told once, kept as a digest."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from club.enums import Scope
from club.kernel import codes
from club.kernel.refusal import refuse
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import ApiToken, User

MOST = 20


@in_one_transaction
def create_token(user: User, name: str, scope: str, now: datetime) -> tuple[ApiToken, str]:
    """A token and its plain text, which nobody can read again."""
    name = name.strip()
    if not name:
        raise refuse("name_missing", _("Donnez un nom à cet accès."), "name")
    if scope not in Scope.values:
        raise refuse("scope_missing", _("Choisissez ce que l’accès permet."), "scope")
    if ApiToken.objects.filter(user=user, revoked_at=None).count() >= MOST:
        raise refuse("too_many", _("Annulez d’abord un accès qui ne sert plus."))
    plain = codes.token()
    token = ApiToken.objects.create(
        user=user, name=name[:60], digest=codes.digest(plain), scope=scope, created_at=now
    )
    log(token, "create_token", by=user, now=now, facts={"scope": scope})
    return token, plain


@in_one_transaction
def revoke_token(token: ApiToken, now: datetime, by: User | None = None) -> None:
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        raise refuse("token_revoked", _("Cet accès est déjà annulé."))
    token.revoked_at = now
    log(token, "revoke_token", by=by or token.user, now=now)
