"""The admin's own pages of partners: a paper's file, and the papers to follow."""

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from wagtail.permissions import policy_registry

from club.kernel.private import sort_of
from club.permissions import RULES, visible
from marketplace.models import Partner, PartnerDocument
from marketplace.queries.folder import lapsing, to_read


@require_safe
@never_cache
def paper(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A paper's file, for those who may read the folder; to anybody else it is not there."""
    policy = policy_registry.get_by_type(PartnerDocument)
    mine = policy.instances_user_has_any_permission_for(request.user, ["view", "change"])
    document = get_object_or_404(mine, pk=pk)
    if not document.file:
        raise Http404
    try:
        file = document.file.open("rb")
    except OSError:
        raise Http404 from None
    sort = sort_of(file.read(16)) or "application/octet-stream"
    file.seek(0)
    response = FileResponse(file, as_attachment=True, content_type=sort)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@never_cache
def to_follow(request: HttpRequest) -> HttpResponse:
    """Papers that lapse within sixty days, have lapsed, are missing or wait to be read."""
    if not policy_registry.get_by_type(Partner).user_has_any_permission(request.user, ["change"]):
        raise PermissionDenied
    partners = visible(Partner.objects.all(), request.user, RULES[Partner], ["change"])
    context = {
        "page_title": _("Papiers à suivre"),
        "received": to_read(partners),
        "found": lapsing(partners, timezone.localdate()),
    }
    return render(request, "marketplace/admin/to_follow.html", context)
