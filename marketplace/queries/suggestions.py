"""Whom members would like next: how many are for whom, and what became of the others."""

from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from rapidfuzz import fuzz

from club.kernel.people import folded
from club.models import Landlord, Member
from marketplace.enums import SuggestionStatus
from marketplace.models import Partner, Suggestion, SuggestionVote
from marketplace.queries.shown import partners_shown

VOTED = (SuggestionStatus.OPEN, SuggestionStatus.TALKING)
CLOSED = (SuggestionStatus.JOINED, SuggestionStatus.DECLINED)
CLOSE_ENOUGH = 85
MOST_ALIKE = 4
MONTHS_TOLD = 6
"""How long what became of a suggestion stays on the page."""


def with_votes(suggestions: QuerySet[Suggestion]) -> QuerySet[Any]:
    return suggestions.annotate(number=Count("votes"))


def voted_on(landlord: Landlord, member: Member | None) -> QuerySet[Suggestion]:
    """The most wanted first; of as many voices, the oldest. `is_mine`: the member's voice."""
    mine = SuggestionVote.objects.filter(suggestion=OuterRef("pk"), member=member)
    found = Suggestion.objects.filter(landlord=landlord, status__in=VOTED)
    return (
        with_votes(found)
        .annotate(is_mine=Exists(mine if member else mine.none()))
        .order_by("-number", "received_at", "pk")
    )


def lately_closed(landlord: Landlord, now: datetime) -> QuerySet[Suggestion]:
    """Only those that were voted on: what staff never put up was read by nobody else."""
    since = now - relativedelta(months=MONTHS_TOLD)
    ended = Q(joined_at__gte=since) | Q(status=SuggestionStatus.DECLINED, declined_at__gte=since)
    return (
        Suggestion.objects.filter(
            ended, landlord=landlord, status__in=CLOSED, open_at__isnull=False
        )
        .select_related("partner")
        .order_by(Coalesce("joined_at", "declined_at").desc(), "pk")
    )


def own(member: Member, now: datetime) -> QuerySet[Suggestion]:
    """What one proposed oneself and stands in no list: to be read, or declined unread."""
    since = now - relativedelta(months=MONTHS_TOLD)
    return Suggestion.objects.filter(
        Q(status=SuggestionStatus.RECEIVED)
        | Q(status=SuggestionStatus.DECLINED, open_at=None, declined_at__gte=since),
        member=member,
    ).order_by("-received_at", "pk")


def is_alike(one: str, other: str) -> bool:
    return fuzz.token_sort_ratio(folded(one), folded(other)) >= CLOSE_ENOUGH


def alike(landlord: Landlord, name: str, member: Member) -> list[Suggestion]:
    """Those up for a vote that bear nearly that name, the most wanted first."""
    votable = Suggestion.objects.filter(landlord=landlord, status__in=VOTED)
    near = [pk for pk, other in votable.values_list("pk", "name") if is_alike(name, other)]
    return list(voted_on(landlord, member).filter(pk__in=near)[:MOST_ALIKE])


def partners_alike(landlord: Landlord, on: date, name: str) -> list[Partner]:
    """Partners of that name whom residents see already."""
    found = partners_shown(landlord, on)
    near = [pk for pk, other in found.values_list("pk", "name") if is_alike(name, other)]
    return list(Partner.objects.filter(pk__in=near[:MOST_ALIKE]).order_by("pk"))
