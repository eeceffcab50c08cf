from django.urls import path

from concierge.views import catalogue, tool

app_name = "concierge"
urlpatterns = [
    path("", catalogue.catalogue, name="catalogue"),
    path("rayon/<slug:slug>/", catalogue.department, name="department"),
    path("objet/<slug:public_id>/", tool.tool, name="tool"),
    path("objet/<slug:public_id>/reserver/", tool.reserve, name="reserve"),
    path("reserve/<str:reference>/", tool.reserved, name="reserved"),
]
