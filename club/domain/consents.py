"""Ticks given and taken back, each with the wording that was shown."""

from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from club.enums import ConsentKind
from club.kernel.refusal import refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Consent, Member, User

WORDING = "2026-11"
"""The version of the sentences below; a change of words is a new version."""

SENTENCES: dict[str, Promise] = {
    ConsentKind.CLUB_NEWS: _("Je veux bien recevoir les nouvelles du club, une fois par mois."),
    ConsentKind.PARTNER_OFFERS: _("Je veux bien recevoir les avantages des partenaires."),
    ConsentKind.SMS: _("Je veux bien recevoir aussi mes rappels par SMS."),
    ConsentKind.NO_QUESTIONS: _("Je ne veux pas que l’on me demande mon avis."),
}


@in_one_transaction
def give_consent(member: Member, kind: str, *, by: User, now: datetime) -> Consent:
    """Keep the proof; a tick under older words is closed and given again under these."""
    kind = ConsentKind(kind)
    if kind == ConsentKind.SMS and not member.user.phone:
        raise refuse("no_phone", _("Donnez d’abord un numéro de téléphone."), "kind")
    hold(member)
    live = member.consents.filter(kind=kind, withdrawn_at=None).first()
    if live is not None and live.wording == WORDING:
        return live
    if live is not None:
        live.withdrawn_at = now
        live.save(update_fields=["withdrawn_at"])
    consent = Consent.objects.create(member=member, kind=kind, wording=WORDING, given_at=now)
    log(consent, "give_consent", by=by, now=now, facts={"kind": kind, "wording": WORDING})
    return consent


@in_one_transaction
def withdraw_consent(member: Member, kind: str, *, by: User, now: datetime) -> None:
    """Take a tick back; one that was never given changes nothing."""
    for consent in member.consents.filter(kind=ConsentKind(kind), withdrawn_at=None):
        consent.withdrawn_at = now
        consent.save(update_fields=["withdrawn_at"])
        log(consent, "withdraw_consent", by=by, now=now, facts={"kind": kind})
