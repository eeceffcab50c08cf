from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "Événements"

    def ready(self) -> None:
        from club.kernel import bookings
        from events import (
            emails,
            signals,  # noqa: F401
            staff_forms,
            tasks,
        )
        from events.domain import closures, fees, invariants, opinions, personal
        from events.kinds import REGISTRATION

        bookings.register(REGISTRATION)
        emails.register()
        closures.register()
        fees.register()
        invariants.register()
        opinions.register()
        personal.register()
        staff_forms.register()
        tasks.register()
