"""What a member's card has saved, use by use; nobody else reads this."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import MemberRequest, member_required
from club.kernel.spans import local_day
from marketplace.queries.uses import saved_between, uses_of

PER_PAGE = 20


@require_safe
@never_cache
@member_required
def savings(request: MemberRequest) -> HttpResponse:
    today = local_day(timezone.now())
    found = Paginator(uses_of(request.member), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "today": today,
        "year_cents": saved_between(request.member, today.replace(month=1, day=1), today),
        "month_cents": saved_between(request.member, today.replace(day=1), today),
        "page_obj": found,
    }
    return render(request, "marketplace/savings.html", context)
