from django.urls import path

from cms import views

urlpatterns = [
    path("recherche/", views.search, name="search"),
    path("signaler-un-defaut/", views.report_defect, name="defect"),
    path("signaler-un-defaut/merci/", views.defect_reported, name="defect-reported"),
    path("sitemap.xml", views.sitemap, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
]
