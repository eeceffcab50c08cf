"""Erasing a person: what names them goes, what accounts for money stays without a name.

Receipts, ledger and loans keep hanging on a member and an account that name nobody, so
that every sum stays what it was. The log keeps that somebody was erased, and by whom.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.models import EditingSession, FormState
from wagtail.models import ModelLogEntry
from wagtail.users.models import UserProfile

from club.domain.checkouts import forget_payer
from club.domain.closures import drop_calls_of
from club.domain.household import adults_of, hold_home, leave_household
from club.domain.personal import log_of, traces_of
from club.kernel import codes, personal
from club.kernel.personal import Traces
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.rows import flush
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.mail import forget_letters
from club.models import (
    ApiToken,
    Card,
    Checkout,
    CodedNote,
    Consent,
    Household,
    LogEntry,
    Mandate,
    Member,
    Message,
    Right,
    TenancyCheck,
    User,
)
from club.models.people import random_username
from club.sms import forget_texts

STEP = ("from", "to")
"""What a log line keeps of its facts: the steps of a status say nothing about a person."""


def obstacles(member: Member, now: datetime) -> list[Reason]:
    """Why somebody cannot be erased yet, each with what to do first."""
    return [reason for room in personal.rooms() for reason in room.obstacles(member, now)]


def is_erased(member: Member) -> bool:
    return LogEntry.objects.filter(
        subject_kind="member", subject_id=member.pk, verb="erase"
    ).exists()


@in_one_transaction
def erase_member(member: Member, *, by: User | None, now: datetime) -> None:
    """Take the person out of everything. Refused, with every reason, while something is open."""
    hold_home(member)
    if is_erased(member):
        raise refuse("already_erased", _("Ce compte est déjà effacé."))
    reasons = obstacles(member, now)
    if reasons:
        raise Refused(reasons)
    actor = by or member.user
    traces = traces_of(member)
    if adults_of(member.household).exclude(pk=member.pk).exists():
        leave_household(member, by=actor, now=now)
    for room in personal.rooms():
        room.forget(member, traces, by=actor, now=now)
    flush()
    scrub_log(member)
    drop_calls_of(member)
    empty_labels(member, traces)
    close_sessions(member.user, traces)
    pictures = [profile.avatar for profile in UserProfile.objects.filter(user=member.user)]
    delete_rows(member, traces)
    make_nameless(member, now)
    forget_payer(member)
    log(member, "erase", by=by, now=now)
    transaction.on_commit(partial(forget_files, traces, pictures))


def scrub_log(member: Member) -> None:
    """Lines stay, for what they count; their facts keep the steps of a status alone."""
    kept = []
    for entry in log_of(member).only("facts").iterator():
        bare = {name: entry.facts[name] for name in STEP if name in entry.facts}
        if bare != entry.facts:
            entry.facts = bare
            kept.append(entry)
    LogEntry.objects.bulk_update(kept, ["facts"], batch_size=500)


def homes_of(member: Member) -> set[int]:
    """Where the person lives and has lived: a household is called by the names in it."""
    moves = LogEntry.objects.filter(
        subject_kind="member", subject_id=member.pk, verb="change_household"
    ).values_list("facts", flat=True)
    return {member.household_id} | {facts[step] for facts in moves for step in STEP}


def empty_labels(member: Member, traces: Traces) -> None:
    """The admin's own history names things as they were called; its half-filled forms too."""
    rows: dict[type[Model], Iterable[int]] = {
        Member: [member.pk],
        User: [member.user_id],
        Household: homes_of(member),
        Card: member.cards.values_list("pk", flat=True),
    }
    wanted = Q()
    for model, keys in rows.items():
        kind = ContentType.objects.get_for_model(model)
        wanted |= Q(content_type=kind, object_id__in=[str(key) for key in keys])
    ModelLogEntry.objects.filter(wanted).update(label="", data={})
    typed = Q(user=member.user)
    for word in traces.emails | traces.phones:
        typed |= Q(data__icontains=word)
    FormState.objects.filter(wanted | typed).delete()
    EditingSession.objects.filter(user=member.user).delete()


def close_sessions(user: User, traces: Traces) -> None:
    """Those that are open, and those in which somebody was typing this address."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for key in UserSession.objects.filter(user=user).values_list("session_key", flat=True):
        store().delete(key)
    UserSession.objects.filter(user=user).delete()
    for session in Session.objects.iterator():
        data = session.get_decoded()
        if data.get("_auth_user_id") == str(user.pk) or traces.are_in(str(data)):
            store().delete(session.session_key)


def delete_rows(member: Member, traces: Traces) -> None:
    user = member.user
    for model in (EmailAddress, Authenticator, ApiToken, UserProfile, Message):
        model.objects.filter(user=user).delete()
    for model in (Card, Consent, CodedNote, TenancyCheck, Message):
        model.objects.filter(member=member).delete()
    for model in (AccessAttempt, AccessLog, AccessFailureLog):
        wanted = Q()
        for address in traces.addresses:
            wanted |= Q(username__iexact=address) | Q(path_info__icontains=address)
            if model is AccessAttempt:
                wanted |= Q(get_data__icontains=address) | Q(post_data__icontains=address)
        model.objects.filter(wanted).delete()
    user.groups.clear()
    user.user_permissions.clear()


def make_nameless(member: Member, now: datetime) -> None:
    user = member.user
    user.first_name, user.last_name = "", gettext("Compte effacé")
    user.email, user.phone, user.phone_verified = "", "", False
    user.username = random_username()
    user.is_active, user.last_login = False, None
    user.set_unusable_password()
    user.save()
    member.search_name = ""
    member.feed_token = codes.token()
    member.claim_digest, member.claim_expires_at = "", None
    member.save(update_fields=["search_name", "feed_token", "claim_digest", "claim_expires_at"])
    Household.objects.filter(pk=member.household_id).update(dwelling=None)
    Right.objects.filter(household=member.household_id, revoked_at=None).update(revoked_at=now)
    Checkout.objects.filter(member=member).update(url="")
    Mandate.objects.filter(customer__payer=member).update(last4="")


def forget_files(traces: Traces, pictures: Iterable[Any]) -> None:
    """Pictures, and messages kept as files where there is no mail server or SMS gateway."""
    for picture in pictures:
        if picture:
            picture.delete(save=False)
    forget_letters(traces.emails)
    forget_texts(traces.phones)
