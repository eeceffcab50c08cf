from django.urls import path

from events.views import agendas, seances

app_name = "events"
urlpatterns = [
    path("", seances.programme, name="programme"),
    path("agenda.ics", agendas.agenda, name="agenda"),
    path("evenement/<slug:public_id>.ics", agendas.event_agenda, name="event-agenda"),
    path("inscrit/<slug:reference>/", seances.registered, name="registered"),
    path("<slug:public_id>/", seances.session, name="session"),
    path("<slug:public_id>/inscrire/", seances.register, name="register"),
]
