from django.conf import settings
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as admin_urls
from wagtail.documents import urls as document_urls

from concierge.views.orders import editors_page
from concierge.views.prices import prices
from config.api import api
from config.api_docs import docs
from content.views import upload

urlpatterns = [
    path("", include("config.health")),
    path("admin/", include(admin_urls)),
    path("api/v1/docs", docs, name="api-docs"),
    path("api/v1/", api.urls),
    path("documents/", include(document_urls)),
    # No token is asked for: a page that a cache shares can carry none, and the worst
    # that a forged request does is to change the language.
    path("langue/", csrf_exempt(set_language), name="set_language"),
    path("compte/", include("club.urls_account")),
    path("desk/", include("desk.urls")),
    path("mon-espace/", include("portal.urls")),
    path("emprunter/", include("concierge.urls")),
    path("abonnement/", prices, name="prices"),
    path("seances/", include("events.urls")),
    path("services/", include("concierge.urls_services")),
    path("paniers/", include("concierge.urls_orders")),
    path("pain-et-paniers/", editors_page),
    path("avantages/", include("marketplace.urls")),
    path("espace-partenaire/", include("portal.urls_orders_pro")),
    path("espace-partenaire/", include("marketplace.urls_pro")),
    path("attestation-assurance/", include("marketplace.urls_certificate")),
    path("", include("club.urls")),
    path("", include("content.urls")),
    path("", include("cms.urls")),
]
if not settings.PRODUCTION:
    # By hand: `static()` serves nothing without DEBUG, and the demonstration runs without.
    urlpatterns += [path("media/<path:path>", upload)]
urlpatterns += [path("", include(wagtail_urls))]
