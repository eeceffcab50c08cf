from django.urls import path

from concierge.views import services

app_name = "services"
urlpatterns = [
    path("", services.services, name="services"),
    path("reserve/<slug:reference>/", services.confirmed, name="booked"),
    path("<slug:public_id>/", services.service, name="service"),
    path("<slug:public_id>/reserver/", services.book, name="book"),
    path("<slug:public_id>/attendre/", services.wait, name="wait"),
    path("<slug:public_id>/ne-plus-attendre/", services.wait_no_more, name="wait-no-more"),
]
