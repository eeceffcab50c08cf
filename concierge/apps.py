from django.apps import AppConfig


class ConciergeConfig(AppConfig):
    name = "concierge"
    verbose_name = "Conciergerie"

    def ready(self) -> None:
        from club.kernel import bookings
        from concierge import (
            emails,
            guards,
            signals,  # noqa: F401
            subscription_letters,
            tasks,
        )
        from concierge.domain import (
            fees,
            invariants,
            money_invariants,
            online,
            personal,
            subscriptions,
        )
        from concierge.kinds import LOAN

        emails.register()
        subscription_letters.register()
        tasks.register()
        invariants.register()
        money_invariants.register()
        bookings.register(LOAN)
        guards.register()
        subscriptions.register()
        online.register()
        personal.register()
        fees.register()
