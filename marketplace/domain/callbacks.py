"""Being called back by one intermediary: name and phone pass on an explicit tick, no more.

Nothing else passes with them, nobody else reads them, and the member takes them back.
"""

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell
from club.kernel.people import e164
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Member, User
from marketplace.domain.told import tell_partner
from marketplace.models import CallbackRequest, Partner
from marketplace.queries.callbacks import open_of, takes_callbacks

WORDING = "2026-11"
"""The version that is shown; a change of words is a new version, and the old ones stay."""

WORDINGS: dict[str, Promise] = {
    "2026-11": _("Je veux que mon nom et ce numéro soient donnés à %(partner)s, pour un rappel."),
}


MOST_A_DAY = 3
"""Each is a message to everybody at the intermediary's, also when it is taken back."""


def sentence_of(partner: Partner, wording: str = WORDING) -> str:
    """What is ticked, or was."""
    return str(WORDINGS[wording]) % {"partner": partner.name}


@in_one_transaction
def ask_callback(
    partner: Partner, member: Member, *, phone: str, agreed: bool, by: User, now: datetime
) -> CallbackRequest:
    """Pass a name and a phone to one intermediary, with the proof of what was ticked."""
    number = e164(phone) or ""
    reasons = []
    if not number:
        text = _("Ce numéro n’existe pas. Exemple : 06 12 34 56 78.")
        reasons.append(Reason("phone_wrong", text, "phone"))
    if not agreed:
        text = _("Cochez la case si vous êtes d’accord. Sinon, appelez vous-même.")
        reasons.append(Reason("not_agreed", text, "agreed"))
    if not takes_callbacks(partner, member.household.landlord, local_day(now)):
        text = _("On ne peut pas demander de rappel à ce partenaire. Appelez l’accueil.")
        reasons.append(Reason("not_possible", text))
    if reasons:
        raise Refused(reasons)
    hold(member)
    if open_of(member, partner) is not None:
        raise refuse("asked_already", _("Vous avez déjà demandé un rappel."))
    lately = CallbackRequest.objects.filter(
        partner=partner, member=member, asked_at__gt=now - timedelta(days=1)
    )
    if lately.count() >= MOST_A_DAY:
        raise refuse("too_many", _("Vous l’avez déjà demandé aujourd’hui. Appelez l’accueil."))
    asked = CallbackRequest.objects.create(
        partner=partner, member=member, phone=number, wording=WORDING, asked_at=now
    )
    log(asked, "ask_callback", by=by, now=now, facts={"wording": WORDING, "partner": partner.pk})
    key = f"callback:{asked.pk}"
    tell_partner(
        partner, "callback.asked", asked, key=key, now=now, following=reverse("pro:callbacks")
    )
    tell(member, "callback.receipt", asked, key=f"{key}:receipt", now=now)
    return asked


@in_one_transaction
def withdraw(asked: CallbackRequest, *, by: User, now: datetime) -> None:
    """Take it back: the intermediary reads neither name nor phone from now on."""
    still = CallbackRequest.objects.filter(pk=asked.pk, called_at=None, withdrawn_at=None)
    if not still.update(withdrawn_at=now, phone=""):
        raise refuse("is_over", _("Cette demande est déjà finie."))
    asked.withdrawn_at, asked.phone = now, ""
    log(asked, "withdraw_callback", by=by, now=now)


@in_one_transaction
def mark_called(asked: CallbackRequest, *, by: User, now: datetime) -> None:
    """The intermediary has called: nothing waits any more."""
    still = CallbackRequest.objects.filter(pk=asked.pk, called_at=None, withdrawn_at=None)
    if not still.update(called_at=now):
        raise refuse("is_over", _("Cette personne n’attend plus de rappel."))
    asked.called_at = now
    log(asked, "mark_called", by=by, now=now)
