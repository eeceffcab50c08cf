"""The register of keys: which hook, whose, received and given back against a signature.

The rule
- Each hook of a place holds one bunch. What the tag bears is the hook and the code, no name
  and no address.
- Keys are received and given back against a signature: drawn on the screen, or on the
  printed receipt. Without either nothing changes hands.
- They are given back to the member, to another adult of the household, or to a person whom
  the member has named (as parcels are), once: a second time is refused with who has them.
- The desk takes them out for a visit and puts them back. What is lost is noted, and told.
- A return that was a mistake is undone on its day, and no later.
- Keys for a stay let it run; when the last of them went back it ends.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _
from PIL import Image

from club.domain.messages import tell
from club.kernel import words
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import Contended, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, Place, User
from concierge.domain.parcels import may_collect
from concierge.domain.stay_visits import drop_file, saved
from concierge.domain.stays import begin, keys_went_back, locked_stay, reopen_stay
from concierge.enums import ON_HOOK, WATCHED, KeyReason, KeyStatus, StayStatus
from concierge.models import KeySet, Proxy, Stay
from concierge.queries.stays import lowest_free_hook
from content.pictures import reencoded

MOST_PIECES = 30
LAST_HOOK = 999
MOST_DRAWN = 300_000
"""Bytes of a drawn signature."""
HEAD = "data:image/png;base64,"


# -- A signature -------------------------------------------------------------------------------


def signature_of(text: str) -> ContentFile | None:
    """What was drawn on the screen, drawn anew; None where nothing was."""
    text = text.strip()
    if not text:
        return None
    unreadable = refuse(
        "signature_unreadable", _("La signature n’est pas lisible. Signez à nouveau."), "signature"
    )
    if not text.startswith(HEAD) or len(text) > MOST_DRAWN * 4 // 3:
        raise unreadable
    try:
        drawn = reencoded(
            ContentFile(base64.b64decode(text[len(HEAD) :], validate=True), name="signature.png"),
            MOST_DRAWN,
        )
    except (ValueError, ValidationError) as error:
        raise unreadable from error
    with Image.open(drawn) as image:
        if image.convert("L").getextrema()[0] > 200:  # type: ignore[operator]
            return None
    drawn.seek(0)
    return drawn


def unsigned(on_paper: bool, signature: ContentFile | None) -> Reason | None:
    if on_paper or signature is not None:
        return None
    text = _("Faites signer à l’écran, ou cochez « signé sur papier ».")
    return Reason("unsigned", text, "signature")


# -- Receiving ---------------------------------------------------------------------------------


@in_one_transaction
def receive_keys(
    *,
    place: Place,
    member: Member,
    hook: int,
    pieces: int = 1,
    reason: str = KeyReason.STAY,
    stay: Stay | None = None,
    signature: ContentFile | None = None,
    on_paper: bool = False,
    by: User,
    now: datetime,
) -> KeySet:
    """Hang a bunch on a free hook. For a stay: it runs from now on."""
    if stay is not None:
        stay = locked_stay(stay)
    reasons = [
        wrong_stay(place, member, reason, stay),
        unsigned(on_paper, signature),
        wrong_number(pieces, MOST_PIECES, "pieces"),
        wrong_number(hook, LAST_HOOK, "hook"),
        hook_taken(place, hook),
    ]
    found = [one for one in reasons if one is not None]
    if found:
        raise Refused(found)
    keys = KeySet(
        place=place,
        member=member,
        stay=stay,
        reason=reason,
        hook=hook,
        pieces=pieces,
        received_at=now,
        received_by=by,
        received_on_paper=on_paper and signature is None,
    )
    with saved(keys.received_signature, "recu.png", signature):
        with once_a_hook():
            keys.save(force_insert=True)
        log(keys, "receive", by=by, now=now, facts={"to": keys.status, "hook": hook})
        if stay is not None:
            begin(stay, by=by, now=now)
        tell_keys(keys, "keys.received", now)
    return keys


def wrong_stay(place: Place, member: Member, reason: str, stay: Stay | None) -> Reason | None:
    if member.place.landlord_id != place.landlord_id or not member.user.is_active:
        return Reason("unknown_member", _("Cette personne n’est pas membre ici."), "member")
    if reason not in KeyReason.values:
        return Reason("reason_wrong", _("Choisissez pourquoi vous gardez ces clés."), "reason")
    if (reason == KeyReason.STAY) != (stay is not None):
        return Reason("stay_wrong", _("Choisissez la garde, ou une autre raison."), "stay")
    if stay is None:
        return None
    is_theirs = stay.member_id == member.pk and stay.place_id == place.pk
    if not is_theirs or stay.status not in WATCHED:
        return Reason("stay_wrong", _("Cette garde n’attend pas de clés."), "stay")
    return None


def wrong_number(number: int, most: int, field: str) -> Reason | None:
    if 1 <= number <= most:
        return None
    text = _("Écrivez un nombre de 1 à %(most)s.") % {"most": most}
    return Reason("number_wrong", text, field)


def hook_taken(place: Place, hook: int, *, without: int = 0) -> Reason | None:
    taken = KeySet.objects.filter(place=place, hook=hook, status__in=ON_HOOK).exclude(pk=without)
    if not taken.exists():
        return None
    free = lowest_free_hook(place)
    text = _("Le crochet %(hook)s est pris. Le %(free)s est libre.") % {"hook": hook, "free": free}
    return Reason("hook_taken", text, "hook", {"free": free})


@contextmanager
def once_a_hook() -> Iterator[None]:
    """The unique key is the judge between two desks that hang keys at the same time."""
    try:
        yield
    except IntegrityError as error:
        raise Contended from error


@in_one_transaction
def change_hook(keys: KeySet, hook: int, *, by: User, now: datetime) -> KeySet:
    keys = locked_keys(keys)
    if keys.status not in ON_HOOK:
        raise closed(keys)
    wrong = wrong_number(hook, LAST_HOOK, "hook") or hook_taken(keys.place, hook, without=keys.pk)
    if wrong is not None:
        raise Refused(wrong)
    with once_a_hook():
        keys.hook = hook
        keys.save(update_fields=["hook"])
    log(keys, "change_hook", by=by, now=now, facts={"hook": hook})
    return keys


# -- Out and back ------------------------------------------------------------------------------


def locked_keys(keys: KeySet) -> KeySet:
    """Under the lock of their stay, which is taken first everywhere."""
    stay_id = KeySet.objects.values_list("stay_id", flat=True).get(pk=keys.pk)
    stay = locked_stay(Stay(pk=stay_id)) if stay_id else None
    held = (
        KeySet.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member__user", "member__household", "place")
        .get(pk=keys.pk)
    )
    held.stay = stay
    return held


def closed(keys: KeySet) -> Refused:
    """Not here any more: who has them, and since when."""
    if keys.status == KeyStatus.RETURNED and keys.returned_at is not None:
        text = _("Ces clés sont déjà rendues : à %(who)s, %(when)s.") % {
            "who": keys.returned_to or _("leur propriétaire"),
            "when": words.moment(keys.returned_at),
        }
        return refuse("given_back", text, who=keys.returned_to)
    text = _("Ces clés sont notées « %(state)s ».") % {"state": keys.get_status_display()}
    return refuse("wrong_state", text, state=keys.status)


@in_one_transaction
def take_out(keys: KeySet, *, by: User, now: datetime) -> KeySet:
    keys = locked_keys(keys)
    if keys.status not in ON_HOOK:
        raise closed(keys)
    move(keys, KeyStatus.OUT, by=by, now=now, out_by=by)
    return keys


@in_one_transaction
def put_back(keys: KeySet, *, by: User, now: datetime) -> KeySet:
    keys = locked_keys(keys)
    if keys.status not in ON_HOOK:
        raise closed(keys)
    move(keys, KeyStatus.HELD, by=by, now=now, verb="put_back", out_at=None, out_by=None)
    return keys


# -- Giving back -------------------------------------------------------------------------------


@in_one_transaction
def give_back(
    keys: KeySet,
    to: Member | Proxy,
    *,
    signature: ContentFile | None = None,
    on_paper: bool = False,
    by: User,
    now: datetime,
) -> KeySet:
    """Into the hands of somebody who may have them, against a signature; once."""
    keys = locked_keys(keys)
    if keys.status not in ON_HOOK:
        raise closed(keys)
    if not may_collect(keys.member, to, local_day(now)):
        text = _("%(name)s ne peut pas reprendre ces clés : cette personne n’est pas nommée.")
        raise refuse("not_named", text % {"name": to}, "to")
    missing = unsigned(on_paper, signature)
    if missing is not None:
        raise Refused(missing)
    if keys.status == KeyStatus.OUT:
        move(keys, KeyStatus.HELD, by=by, now=now, verb="put_back", out_at=None, out_by=None)
    move(
        keys,
        KeyStatus.RETURNED,
        by=by,
        now=now,
        returned_by=by,
        returned_to=str(to)[:140],
        returned_on_paper=on_paper and signature is None,
    )
    with saved(keys.returned_signature, "rendu.png", signature):
        if signature is not None:
            keys.save(update_fields=["returned_signature"])
        if keys.stay is not None:
            keys_went_back(keys.stay, by=by, now=now)
        tell_keys(keys, "keys.returned", now)
    return keys


def may_hang_again(keys: KeySet, now: datetime) -> bool:
    """What is lost may turn up any day; what was signed for on another day is out of the house."""
    if keys.status != KeyStatus.RETURNED:
        return keys.status not in ON_HOOK
    return keys.returned_at is not None and local_day(keys.returned_at) == local_day(now)


@in_one_transaction
def hang_again(keys: KeySet, *, by: User, now: datetime) -> KeySet:
    """Given back by mistake, or found again: on their hook, or the lowest that is free."""
    keys = locked_keys(keys)
    if keys.status in ON_HOOK:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    if not may_hang_again(keys, now):
        raise refuse("too_late", _("Seul un retour d’aujourd’hui se défait."))
    hook = keys.hook
    if hook_taken(keys.place, hook) is not None:
        hook = lowest_free_hook(keys.place)
    was_returned = keys.status == KeyStatus.RETURNED
    if keys.returned_signature:
        drop_file(keys.returned_signature.storage, keys.returned_signature.name or "")
    cleared: dict[str, Any] = {
        "returned_at": None,
        "returned_by": None,
        "returned_to": "",
        "returned_on_paper": False,
        "returned_signature": "",
        "lost_at": None,
        "out_at": None,
        "out_by": None,
    }
    with once_a_hook():
        move(keys, KeyStatus.HELD, by=by, now=now, verb="hang_again", hook=hook, **cleared)
    if was_returned and keys.stay is not None:
        stay_runs_again(keys.stay, by=by, now=now)
    return keys


def stay_runs_again(stay: Stay, *, by: User, now: datetime) -> None:
    """Its keys went back by mistake: so it had not ended. What is over by now stays so."""
    if stay.status == StayStatus.BOOKED:
        begin(stay, by=by, now=now)
    elif stay.status == StayStatus.ENDED and stay.ends_at > now:
        reopen_stay(stay, by=by, now=now)


@in_one_transaction
def mark_lost(keys: KeySet, *, by: User, now: datetime) -> KeySet:
    keys = locked_keys(keys)
    if keys.status not in ON_HOOK:
        raise closed(keys)
    move(keys, KeyStatus.LOST, by=by, now=now)
    tell_keys(keys, "keys.lost", now)
    return keys


def tell_keys(keys: KeySet, event: str, now: datetime) -> None:
    key = f"{event}:{keys.reference}:{int(now.timestamp())}"
    tell(keys.member, event, keys, key=key, now=now)
