from django.urls import include, path
from django.views.generic import RedirectView

from club.views import (
    account,
    card,
    claim,
    erasure,
    household,
    opinions,
    places,
    provider,
    short_link,
    tenancy,
    theme,
)

in_club = [
    path("mon-compte/contact/", account.contact, name="contact"),
    path("mon-compte/contact/code/", account.contact_code, name="contact-code"),
    path("mon-compte/locataire/", tenancy.tenancy, name="tenancy"),
    path("accueil/choisir/", places.choose_place, name="choose-place"),
    path("accueil/effacer/<int:pk>/", erasure.erase, name="erase"),
    path("accueil/foyer/<int:pk>/", household.join, name="household-join"),
    path("accueil/lettre/<int:pk>/", claim.letter, name="letter"),
    path("accueil/carte/<int:pk>/", card.print_card, name="card-print"),
    path("accueil/carte/<int:pk>/perdue/", card.lost, name="card-lost"),
]
urlpatterns = [
    path("theme/<int:landlord_id>/<str:stamp>.css", theme.stylesheet, name="theme"),
    path("bienvenue/", claim.claim, name="claim"),
    path("c/", card.check, name="card-check"),
    path("c/<str:token>", card.card, name="card"),
    path("stripe/webhook/", provider.webhook, name="stripe-webhook"),
    path("r/<str:code>/", short_link.follow, name="short-link"),
    path("a/<str:code>/", opinions.follow, name="short-opinion"),
    path("avis/<str:signed>/", opinions.opinion, name="opinion"),
    path("avis/<str:signed>/arreter/", opinions.stop, name="opinion-stop"),
    # Wagtail's own sign-in page knows neither codes nor second factors.
    path("_util/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("", include((in_club, "club"))),
]
