from django.urls import path

from content import views

urlpatterns = [path("composants/", views.components, name="components")]
