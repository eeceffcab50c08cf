"""The tenants' certificate, under `/attestation-assurance/`: away from any offer."""

from django.urls import path

from marketplace.views import certificates

app_name = "own-certificate"
urlpatterns = [
    path("", certificates.home, name="home"),
    path("envoyer/", certificates.send, name="send"),
    path("<int:pk>/envoyee/", certificates.sent, name="sent"),
    path("<int:pk>/fichier/", certificates.file, name="file"),
]
