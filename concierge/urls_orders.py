from django.urls import path

from concierge.views import orders, standing_orders

app_name = "orders"
urlpatterns = [
    path("", orders.rounds, name="rounds"),
    path("commande/<slug:reference>/", orders.ordered, name="ordered"),
    path("reguliere/<slug:reference>/", standing_orders.standing, name="standing"),
    path("reguliere/<slug:reference>/changer/", standing_orders.change, name="standing-change"),
    path("reguliere/<slug:reference>/absence/", standing_orders.away, name="standing-away"),
    path(
        "reguliere/<slug:reference>/absence/<int:pk>/retirer/",
        standing_orders.back,
        name="standing-back",
    ),
    path("reguliere/<slug:reference>/arreter/", standing_orders.stop, name="standing-stop"),
    path("<slug:public_id>/", orders.delivery, name="delivery"),
    path("<slug:public_id>/total/", orders.check, name="check"),
    path("<slug:public_id>/commander/", orders.order, name="order"),
]
