"""Finding members, as the desk does."""

from datetime import date

from django.db.models import Prefetch, Q, QuerySet

from club.enums import Activity, TenancyResult
from club.kernel import codes
from club.kernel.people import folded
from club.models import Card, Member, Place, TenancyCheck
from club.queries.entitlement import coverage

MOST = 8


def with_live_card(members: QuerySet[Member]) -> QuerySet[Member]:
    """Each member's live card, if there is one, as `live_cards[0]`."""
    live = Card.objects.filter(revoked_at=None)
    return members.select_related("user", "household", "place").prefetch_related(
        Prefetch("cards", queryset=live, to_attr="live_cards")
    )


def search_members(place: Place, text: str) -> list[Member]:
    """Members of a place by the beginnings of names, a card number or a phone; eight at most."""
    members = with_live_card(Member.objects.filter(place=place, user__is_active=True))
    digits = "".join(c for c in text if c.isdigit())
    if digits and not any(c.isalpha() for c in text.strip().lstrip("Mm")):
        return list(members.filter(by_digits(text, digits)).order_by("search_name")[:MOST])
    wanted = Q()
    words = folded(text).split()
    if not words:
        return []
    for word in words:
        wanted &= Q(search_name__startswith=word) | Q(search_name__contains=" " + word)
    return list(members.filter(wanted).order_by("search_name")[:MOST])


def by_digits(text: str, digits: str) -> Q:
    scanned = codes.as_scanned(text)
    if scanned and scanned.startswith("M"):
        return Q(cards__number=scanned[1:], cards__revoked_at=None)
    if len(digits) < 3:
        return Q(pk=None)
    national = digits.removeprefix("33").removeprefix("0") or digits
    return Q(cards__number__startswith=digits, cards__revoked_at=None) | Q(
        user__phone__contains=national
    )


def member_by_card(number: str) -> Member | None:
    """The member whose live card has this number ("M" before it or not)."""
    return (
        with_live_card(Member.objects.all())
        .filter(cards__number=number.removeprefix("M"), cards__revoked_at=None)
        .first()
    )


def proof_of_tenancy(member: Member) -> TenancyCheck | None:
    """The latest check that said yes."""
    return member.tenancy_checks.filter(result=TenancyResult.YES).order_by("-checked_on").first()


def valid_until(member: Member, on: date) -> date | None:
    """The last day of the longest right that holds on `on`, whatever it opens."""
    ends = [
        held.ends_on
        for activity in Activity.values
        if (held := coverage(member, activity, on)).covers(on, on)
    ]
    return max((day for day in ends if day), default=None)


def good_card(on: date, **card: str) -> tuple[Member, date] | None:
    """Whose card it is (by `number` or `token`) and its last day, if it is good on a day."""
    held = (
        Card.objects.select_related("member__user", "member__household")
        .filter(**card, revoked_at=None)
        .first()
    )
    until = good_until(held.member, on) if held else None
    return (held.member, until) if held and until else None


def good_until(member: Member, on: date) -> date | None:
    """The last day of what a member's card proves on a day; a closed account proves nothing."""
    return valid_until(member, on) if member.user.is_active else None
