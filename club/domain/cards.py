"""Membership cards: one live card a member; a replaced card is dead at once."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from club.kernel import codes
from club.kernel.refusal import refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Card, Member, User


@in_one_transaction
def issue_card(member: Member, *, by: User | None, now: datetime) -> Card:
    """The member's first card, or a new one after the last was revoked."""
    if Card.objects.filter(member=member, revoked_at=None).exists():
        raise refuse("has_card", _("Cette personne a déjà une carte."))
    number = codes.unused(codes.card_number, lambda n: Card.objects.filter(number=n).exists())
    card = Card.objects.create(member=member, number=number, issued_at=now)
    log(card, "issue_card", by=by, now=now)
    return card


@in_one_transaction
def revoke_card(card: Card, *, by: User | None, now: datetime) -> None:
    if not Card.objects.filter(pk=card.pk, revoked_at=None).update(revoked_at=now):
        raise refuse("card_revoked", _("Cette carte est déjà annulée."))
    card.revoked_at = now
    log(card, "revoke_card", by=by, now=now)


@in_one_transaction
def replace_card(member: Member, *, by: User | None, now: datetime, lost: str = "") -> Card:
    """A lost card: the old number and the old QR stop working, a new card begins.

    `lost` is the number that the page showed: a second press finds the new card.
    """
    hold(member)
    live = Card.objects.filter(member=member, revoked_at=None).first()
    if live is not None and lost and live.number != lost:
        return live
    if live is not None:
        revoke_card(live, by=by, now=now)
    return issue_card(member, by=by, now=now)
