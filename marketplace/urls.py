from django.urls import path

from marketplace.views import directory

app_name = "marketplace"
urlpatterns = [
    path("", directory.directory, name="directory"),
    path("classement/", directory.ranking, name="ranking"),
    path("partenaire/<slug:public_id>/", directory.partner, name="partner"),
    path("<slug:kind>/", directory.listing, name="list"),
    path("<slug:kind>/<slug:sort>/", directory.listing, name="sort"),
]
