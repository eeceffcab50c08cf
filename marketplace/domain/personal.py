"""What the partners' room holds of a person: to tell it, and to forget it."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from club.kernel import personal
from club.kernel.personal import Held, Room, Term, Traces, scans_end
from club.kernel.spans import local_day
from club.kernel.transitions import move
from club.models import Member, User
from marketplace.domain.asks import close_others
from marketplace.enums import VisitStatus
from marketplace.models import (
    CallbackRequest,
    Certificate,
    EntryLink,
    OfferUse,
    PartnerDocument,
    PartnerPerson,
    RefusalReport,
    Suggestion,
    SuggestionVote,
    VisitAsk,
    VisitPhoto,
    VisitRequest,
)


def uses_of(member: Member) -> QuerySet[OfferUse]:
    return OfferUse.objects.filter(member=member)


def reports_of(member: Member) -> QuerySet[RefusalReport]:
    return RefusalReport.objects.filter(member=member)


def suggestions_of(member: Member) -> QuerySet[Suggestion]:
    return Suggestion.objects.filter(member=member)


def votes_of(member: Member) -> QuerySet[SuggestionVote]:
    return SuggestionVote.objects.filter(member=member)


def visits_of(member: Member) -> QuerySet[VisitRequest]:
    return VisitRequest.objects.filter(member=member)


def photos_of(member: Member) -> QuerySet[VisitPhoto]:
    return VisitPhoto.objects.filter(visit__member=member)


def asks_of(member: Member) -> QuerySet[VisitAsk]:
    return VisitAsk.objects.filter(visit__member=member)


def callbacks_of(member: Member) -> QuerySet[CallbackRequest]:
    return CallbackRequest.objects.filter(member=member)


def certificates_of(member: Member) -> QuerySet[Certificate]:
    return Certificate.objects.filter(household=member.household)


def acting_of(member: Member) -> QuerySet[PartnerPerson]:
    return PartnerPerson.objects.filter(user=member.user)


def forget(member: Member, traces: Traces, *, by: User, now: datetime) -> None:
    """What was asked is called off, what named them goes; numbers of a month stay."""
    for visit in visits_of(member).filter(
        status__in=[VisitStatus.ASKING, VisitStatus.AGREED, VisitStatus.UNANSWERED]
    ):
        move(visit, VisitStatus.CANCELLED, by=by, now=now, verb="forget")
        close_others(visit, "visit.called_off", by=by, now=now)
    visits_of(member).update(what="", address="", phone="", windows=[])
    for photo in photos_of(member):
        photo.delete()
    callbacks_of(member).delete()
    suggestions_of(member).update(member=None)
    votes_of(member).delete()
    reports_of(member).delete()
    acting_of(member).filter(left_at=None).update(left_at=now)
    if not Member.objects.filter(household=member.household).exclude(pk=member.pk).exists():
        for certificate in certificates_of(member):
            certificate.delete()


def came_since(since: datetime) -> Iterable[QuerySet]:
    yield OfferUse.objects.filter(used_at__gte=since).values("member")
    yield VisitRequest.objects.filter(asked_at__gte=since).values("member")


PARTNERS = Room(
    name="avantages",
    title=_("Mes avantages et mes demandes"),
    held=(
        Held(OfferUse, uses_of, without=("by",), sheet="avantages"),
        Held(RefusalReport, reports_of),
        Held(Suggestion, suggestions_of),
        Held(SuggestionVote, votes_of),
        Held(VisitRequest, visits_of, sheet="demandes"),
        Held(VisitPhoto, photos_of),
        Held(VisitAsk, asks_of),
        Held(CallbackRequest, callbacks_of),
        Held(Certificate, certificates_of),
        Held(PartnerPerson, acting_of),
    ),
    forget=forget,
    recent=came_since,
)


# -- Terms -----------------------------------------------------------------------------------


def old_reports(now: datetime) -> QuerySet[RefusalReport]:
    return RefusalReport.objects.filter(reported_at__lt=scans_end(now))


def old_visits(now: datetime) -> QuerySet[VisitRequest]:
    return VisitRequest.objects.filter(asked_at__lt=scans_end(now))


def old_callbacks(now: datetime) -> QuerySet[CallbackRequest]:
    return CallbackRequest.objects.filter(asked_at__lt=scans_end(now))


def old_certificates(now: datetime) -> QuerySet[Certificate]:
    """This year's and last year's are kept, by the day on which they end."""
    return Certificate.objects.filter(ends_on__lt=date(local_day(now).year - 1, 1, 1))


def old_links(now: datetime) -> QuerySet[EntryLink]:
    return EntryLink.objects.filter(expires_at__lt=now - timedelta(days=60))


def old_documents(now: datetime) -> QuerySet[PartnerDocument]:
    """Five years after the last convention has ended, as the law on proof asks."""
    ended = local_day(now) - relativedelta(years=5)
    kept = PartnerDocument.objects.filter(partner__conventions__ends_on__gte=ended)
    return PartnerDocument.objects.filter(
        ends_on__lt=ended, partner__conventions__isnull=False
    ).exclude(pk__in=kept.values("pk"))


def register() -> None:
    personal.register(PARTNERS)
    personal.keep_for(
        Term("refusal-reports", _("Les avantages refusés que l’on signale"), old_reports),
        Term("visits", _("Les demandes aux artisans"), old_visits),
        Term("callbacks", _("Les demandes de rappel"), old_callbacks),
        Term("certificates", _("Les attestations : cette année et la dernière"), old_certificates),
        Term("entry-links", _("Les liens d’entrée des partenaires"), old_links),
        Term(
            "partner-papers", _("Les papiers des partenaires : convention et 5 ans"), old_documents
        ),
    )
    personal.leave_out(
        {
            "marketplace.EntryLink": "A link of a person who acts for a firm, without content.",
            "marketplace.Offer": "A firm's terms; who holds them locked is at work.",
            "marketplace.PartnerChange": "What a firm changed on its own page.",
            "marketplace.CertificateCall": "The landlord's act; it names no household.",
        }
    )
