from allauth.account.adapter import get_adapter
from django.contrib.sitemaps.views import sitemap as sitemap_view
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from wagtail.models import Site

from club.context import place_of
from club.kernel.limits import hit
from cms.forms import DefectForm
from cms.search import search_pages
from cms.sitemaps import PageSitemap, ToolSitemap
from concierge.queries.availability import lines
from concierge.queries.search import near_tools, search_tools

OBJECTS_SHOWN = 6
REPORTS_AN_HOUR = 10


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Pages and objects that answer a few words; the words stay in the address."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    site, place = Site.find_for_request(request), place_of(request)
    pages = search_pages(site, text) if text and site else []
    tools = search_tools(place.landlord, text) if text and place else []
    near = near_tools(place.landlord, text) if text and place and not tools and not pages else []
    shown = tools[:OBJECTS_SHOWN] or near
    states = lines(shown, place, timezone.now()) if place and shown else {}
    cards = [
        {
            "url": tool.get_absolute_url(),
            "name": tool.name,
            "picture": tool.picture,
            "photo": tool.photo,
            "wall": tool.department.wall,
            "availability": states[tool.pk],
            "action_label": _("Voir"),
        }
        for tool in shown
    ]
    context = {
        "query": text,
        "pages": [(page, page.get_url(request)) for page in pages],
        "cards": cards,
        "has_found": bool(pages or tools),
        "more_tools": len(tools) - OBJECTS_SHOWN if len(tools) > OBJECTS_SHOWN else 0,
    }
    return render(request, "cms/search.html", context)


@never_cache
def report_defect(request: HttpRequest) -> HttpResponse:
    """Say that something cannot be used; no account is needed."""
    place = place_of(request)
    form = DefectForm(
        request.POST if request.method == "POST" else None,
        initial={"page": request.META.get("HTTP_REFERER", "")[:300]},
    )
    if request.method == "POST" and place is not None and form.is_valid():
        now = timezone.now()
        address = get_adapter().get_client_ip(request)
        if hit(f"defect:{address}", REPORTS_AN_HOUR, 3600, now).is_spent:
            form.add_error(None, _("Trop de messages en peu de temps. Appelez l’accueil."))
        else:
            form.instance.place = place
            form.instance.reported_at = now
            form.save()
            return redirect("defect-reported")
    return render(request, "cms/defect.html", {"form": form})


@require_safe
def defect_reported(request: HttpRequest) -> HttpResponse:
    return render(request, "cms/defect_reported.html")


@require_safe
def sitemap(request: HttpRequest) -> TemplateResponse:
    return sitemap_view(
        request, sitemaps={"pages": PageSitemap(request), "objects": ToolSitemap(request)}
    )


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Screens of one person are nobody's search results."""
    closed = ["/admin/", "/api/", "/c/", "/compte/", "/desk/", "/mon-espace/", "/bienvenue/"]
    rules = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    rules += ["", f"Sitemap: {request.build_absolute_uri(reverse('sitemap'))}", ""]
    return HttpResponse("\n".join(rules), content_type="text/plain; charset=utf-8")
