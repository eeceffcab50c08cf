"""What `club` holds of a person, room by room, and which models hold nothing of them."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.users.models import UserProfile

from club.domain.household import adults_of
from club.domain.ledger import sum_of
from club.enums import Account, CheckoutStatus, RefundStatus, RightSource
from club.kernel import personal, words
from club.kernel.personal import Held, Room, Traces
from club.kernel.refusal import Reason
from club.kernel.spans import local_day
from club.models import (
    ApiToken,
    Assignment,
    Card,
    Checkout,
    CodedNote,
    Consent,
    Customer,
    Household,
    IdempotentAnswer,
    LedgerEntry,
    LogEntry,
    Mandate,
    Member,
    Message,
    Receipt,
    Refund,
    Right,
    TenancyCheck,
    User,
)


def traces_of(member: Member) -> Traces:
    user = member.user
    emails = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    phones = {user.phone, words_of_phone(user.phone)}
    return Traces(
        emails=frozenset(filter(None, emails)),
        phones=frozenset(filter(None, phones)),
        username=user.username,
    )


def words_of_phone(phone: str) -> str:
    """As people type it in France: without the country's prefix."""
    return "0" + phone.removeprefix("+33") if phone.startswith("+33") else phone


# -- Rows of a person ----------------------------------------------------------------------


def signed_in_as(model: type[Model], member: Member) -> QuerySet:
    """Rows of axes, which know the name that was typed and no account."""
    wanted = Q()
    for address in traces_of(member).addresses:
        wanted |= Q(username__iexact=address)
    return model._default_manager.filter(wanted)


def of_user(model: type[Model], member: Member) -> QuerySet:
    return model._default_manager.filter(user=member.user_id)


def of_member(model: type[Model], member: Member) -> QuerySet:
    return model._default_manager.filter(member=member)


def messages_to(member: Member) -> QuerySet[Message]:
    """As a member, and as somebody who acts for a partner."""
    return Message.objects.filter(Q(member=member) | Q(user=member.user_id))


def own_money(model: type[Model], member: Member) -> QuerySet:
    """A person's own, and what is the household's without a name."""
    shared = Q(member=None, household=member.household_id)
    return model._default_manager.filter(Q(member=member) | shared)


def customers(member: Member) -> QuerySet[Customer]:
    return Customer.objects.filter(Q(payer=member) | Q(household=member.household_id))


def log_of(member: Member) -> QuerySet[LogEntry]:
    """What the person did, and what was done about their rows."""
    wanted = Q(actor=member.user_id)
    for room in personal.rooms():
        for held in room.held:
            if held.model is not LogEntry:
                ids = held.of(member).order_by().values_list("pk", flat=True)
                wanted |= Q(subject_kind=held.name, subject_id__in=[*ids])
    return LogEntry.objects.filter(wanted)


ACCOUNT = Room(
    name="compte",
    title=_("Mon compte et mes connexions"),
    held=(
        Held(User, lambda m: User.objects.filter(pk=m.user_id), without=("password",)),
        Held(EmailAddress, partial(of_user, EmailAddress)),
        Held(
            EmailConfirmation,
            lambda m: EmailConfirmation.objects.filter(email_address__user=m.user_id),
            without=("key",),
        ),
        Held(Assignment, partial(of_user, Assignment)),
        Held(Authenticator, partial(of_user, Authenticator), without=("data",)),
        Held(UserSession, partial(of_user, UserSession), without=("session_key", "data")),
        Held(AccessAttempt, partial(signed_in_as, AccessAttempt)),
        Held(
            AccessAttemptExpiration,
            lambda m: AccessAttemptExpiration.objects.filter(
                access_attempt__in=signed_in_as(AccessAttempt, m)
            ),
        ),
        Held(AccessLog, partial(signed_in_as, AccessLog), without=("session_hash",)),
        Held(AccessFailureLog, partial(signed_in_as, AccessFailureLog)),
        Held(ApiToken, partial(of_user, ApiToken), without=("digest",)),
        Held(
            IdempotentAnswer,
            lambda m: IdempotentAnswer.objects.filter(token__user=m.user_id),
            without=("token", "request_digest"),
        ),
        Held(UserProfile, partial(of_user, UserProfile)),
    ),
)


def still_to_settle(member: Member, now: datetime) -> Iterable[Reason]:
    """Work, debts, deposits and payments under way come before an erasure."""
    user = member.user
    if user.is_superuser or user.is_staff or user.assignments.exists():
        yield Reason(
            "works_here", _("Vous travaillez ici. Demandez d’abord le retrait de votre rôle.")
        )
    own = money_of(member)
    owed = sum_of(own.exclude(account=Account.DEPOSIT))
    if owed < 0:
        text = gettext("Il reste %(cents)s à payer à l’accueil.") % {"cents": words.money(-owed)}
        yield Reason("owes", text)
    held = sum_of(own.filter(account=Account.DEPOSIT))
    if held > 0:
        text = gettext("L’accueil garde votre caution de %(cents)s. Faites-vous la rendre.") % {
            "cents": words.money(held)
        }
        yield Reason("deposit_held", text)
    if is_paying(member, now):
        yield Reason(
            "payment_under_way", _("Un paiement ou un remboursement est en cours. Attendez sa fin.")
        )


def money_of(member: Member) -> QuerySet[LedgerEntry]:
    """The entries that are this person's to settle: all, where nobody else is there."""
    entries = LedgerEntry.objects.filter(household=member.household_id)
    if not adults_of(member.household).exclude(pk=member.pk).exists():
        return entries
    own = entries.filter(member=member).exclude(account=Account.SUBSCRIPTION)
    wanted = Q(pk=None)
    for kind, subject in own.values_list("subject_kind", "subject_id").distinct():
        wanted |= Q(subject_kind=kind, subject_id=subject)
    return entries.filter(wanted)


def is_paying(member: Member, now: datetime) -> bool:
    open_page = Checkout.objects.filter(
        member=member, status=CheckoutStatus.OPEN, expires_at__gt=now
    )
    debit = Right.objects.filter(
        Q(member=member) | Q(member=None),
        household=member.household_id,
        source=RightSource.AWAITED,
        revoked_at=None,
        ends_on__gte=local_day(now),
    )
    refund = Refund.objects.filter(
        entry__member=member, status__in=[RefundStatus.ASKED, RefundStatus.SENDING]
    )
    return open_page.exists() or debit.exists() or refund.exists()


def seen_since(since: datetime) -> Iterable[QuerySet]:
    """Signed in, joined, paid or written to the log by their own hand."""
    yield Member.objects.filter(joined_at__gte=since).values("pk")
    yield Member.objects.filter(user__last_login__gte=since).values("pk")
    yield Member.objects.filter(user__usersession__last_seen_at__gte=since).values("pk")
    yield Receipt.objects.filter(issued_at__gte=since, member__isnull=False).values("member")


HOME = Room(
    name="foyer",
    title=_("Mon adhésion et mon foyer"),
    held=(
        Held(
            Member,
            lambda m: Member.objects.filter(pk=m.pk),
            without=("feed_token", "claim_digest"),
        ),
        Held(Household, lambda m: Household.objects.filter(pk=m.household_id)),
        Held(Card, partial(of_member, Card), without=("token",)),
        Held(Right, partial(own_money, Right), without=("given_by",)),
        Held(Consent, partial(of_member, Consent)),
        Held(CodedNote, partial(of_member, CodedNote)),
        Held(TenancyCheck, partial(of_member, TenancyCheck)),
    ),
    obstacles=still_to_settle,
    recent=seen_since,
)

MONEY = Room(
    name="argent",
    title=_("Mes paiements et mes reçus"),
    held=(
        Held(
            Receipt, partial(own_money, Receipt), without=("issued_by", "form_key"), sheet="recus"
        ),
        Held(LedgerEntry, partial(own_money, LedgerEntry), without=("by",), sheet="ecritures"),
        Held(Checkout, partial(of_member, Checkout), without=("url",)),
        Held(Customer, customers),
        Held(Mandate, lambda m: Mandate.objects.filter(customer__in=customers(m))),
        Held(
            Refund,
            lambda m: Refund.objects.filter(entry__in=own_money(LedgerEntry, m)),
            without=("asked_by", "approved_by"),
        ),
    ),
)

LETTERS = Room(
    name="messages",
    title=_("Les messages envoyés"),
    held=(Held(Message, messages_to),),
)

LOG = Room(
    name="journal",
    title=_("Le journal de ce qui a été fait"),
    held=(Held(LogEntry, log_of, without=("actor",)),),
)

STAFF_WORK = "What a member of staff did or wrote; a role is given up before an erasure."
LEFT_OUT = {
    "club.TillDay": STAFF_WORK,
    "club.TillMovement": STAFF_WORK,
    "content.Picture": STAFF_WORK,
    "wagtailimages.Image": STAFF_WORK,
    "wagtaildocs.Document": STAFF_WORK,
    "wagtailcore.Page": STAFF_WORK,
    "wagtailcore.Revision": STAFF_WORK,
    "wagtailcore.UploadedFile": STAFF_WORK,
    "wagtailcore.WorkflowState": STAFF_WORK,
    "wagtailcore.TaskState": STAFF_WORK,
    "wagtailcore.Comment": STAFF_WORK,
    "wagtailcore.CommentReply": STAFF_WORK,
    "wagtailcore.PageSubscription": STAFF_WORK,
    "wagtailcore.PageLogEntry": STAFF_WORK,
    "wagtailcore.ModelLogEntry": "Who changed what in the admin; erasure empties its labels.",
    "wagtailcore.APIToken": "Wagtail's own API is not routed: nobody holds a token of it.",
    "wagtailadmin.EditingSession": "Which admin page is open just now; gone within the hour.",
    "wagtailadmin.FormState": "A half-filled form of the admin; erasure deletes it.",
}


def register() -> None:
    personal.register(ACCOUNT, HOME, MONEY, LETTERS, LOG)
    personal.leave_out(LEFT_OUT)
