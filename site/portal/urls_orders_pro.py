"""What a producer is to bring, under `/espace-partenaire/commandes/`."""

from django.urls import path

from portal.views import orders_pro

app_name = "pro-orders"
urlpatterns = [
    path("commandes/", orders_pro.orders, name="orders"),
    path("commandes/<str:day>/", orders_pro.one_day, name="orders-day"),
]
