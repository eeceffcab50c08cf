"""The proof of tenancy: one yes or no against keyed digests, and nothing else kept.

The landlord's office loads digests of (lease reference, surname, birth date). The
tenant file itself never enters: its lines are read, digested and forgotten.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date, datetime

from django.conf import settings

from club.enums import TenancyMethod, TenancyResult
from club.kernel.people import folded
from club.kernel.spans import local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Landlord, Member, TenancyCheck, TenancyDigest, User


def tenancy_digest(landlord: Landlord, lease: str, surname: str, birth_date: date) -> str:
    """HMAC-SHA-256 of the three as anybody would type them: no case, accent, space or sign."""
    parts = [
        str(landlord.pk),
        folded(lease).replace(" ", ""),
        folded(surname).replace(" ", ""),
        birth_date.isoformat(),
    ]
    text = "\x1f".join(parts).encode()
    return hmac.new(settings.TENANCY_KEY.encode(), text, hashlib.sha256).hexdigest()


@in_one_transaction
def replace_digests(landlord: Landlord, digests: Iterable[str], *, now: datetime) -> int:
    """Put a landlord's new set in the place of the old one; the count of what stands."""
    TenancyDigest.objects.filter(landlord=landlord).delete()
    rows = [
        TenancyDigest(landlord=landlord, digest=digest, loaded_at=now)
        for digest in sorted(set(digests))
    ]
    TenancyDigest.objects.bulk_create(rows, batch_size=500)
    log(landlord, "load_tenancies", by=None, now=now, facts={"count": len(rows)})
    return len(rows)


def has_digests(landlord: Landlord) -> bool:
    return TenancyDigest.objects.filter(landlord=landlord).exists()


@in_one_transaction
def check_tenancy(
    member: Member,
    lease: str,
    surname: str,
    birth_date: date,
    now: datetime,
    *,
    by: User | None = None,
) -> TenancyCheck:
    """Compare once; keep the answer, its day and its method."""
    landlord = member.household.landlord
    digest = tenancy_digest(landlord, lease, surname, birth_date)
    known = TenancyDigest.objects.filter(landlord=landlord, digest=digest).exists()
    return keep_check(member, TenancyMethod.DIGEST, known, by=by or member.user, now=now)


@in_one_transaction
def confirm_on_paper(member: Member, *, by: User, now: datetime) -> TenancyCheck:
    """The desk has seen a rent receipt; no copy is made."""
    return keep_check(member, TenancyMethod.PAPER, True, by=by, now=now)


def keep_check(
    member: Member, method: str, known: bool, *, by: User, now: datetime
) -> TenancyCheck:
    result = TenancyResult.YES if known else TenancyResult.NO
    check = TenancyCheck.objects.create(
        member=member, result=result, method=method, checked_on=local_day(now)
    )
    log(check, "check_tenancy", by=by, now=now, facts={"result": result, "method": method})
    return check
