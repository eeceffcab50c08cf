"""What only the member opens: the photo of a visit, and the receipts of their keys."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import MemberRequest, member_required
from club.views.files import as_download
from concierge.models import StayVisit
from concierge.queries.stays import own_keys


@require_safe
@never_cache
@member_required
def photo(request: MemberRequest, pk: int) -> Any:
    """Of one's own home: a link of a message, or another's session, does not open it."""
    visit = get_object_or_404(StayVisit, pk=pk, stay__member=request.member)
    return as_download(visit.photo)


@require_safe
@never_cache
@member_required
def keys(request: MemberRequest) -> HttpResponse:
    """Which keys the desk keeps, and who took the others back."""
    return render(request, "portal/keys.html", {"sets": list(own_keys(request.member))})
