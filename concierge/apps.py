from django.apps import AppConfig


class ConciergeConfig(AppConfig):
    name = "concierge"
    verbose_name = "Conciergerie"

    def ready(self) -> None:
        from club.kernel import bookings
        from concierge import (
            appointment_letters,
            appointment_tasks,
            closure_letters,
            emails,
            guards,
            order_letters,
            order_tasks,
            parcel_letters,
            signals,  # noqa: F401
            stay_letters,
            stay_tasks,
            subscription_letters,
            tasks,
        )
        from concierge.domain import (
            appointment_fees,
            appointment_invariants,
            appointment_personal,
            closures,
            deliveries,
            fees,
            invariants,
            money_invariants,
            online,
            opinions,
            order_fees,
            order_invariants,
            order_personal,
            parcel_invariants,
            parcel_traces,
            personal,
            stay_fees,
            stay_invariants,
            stay_personal,
            subscriptions,
        )
        from concierge.kinds import LOAN
        from concierge.kinds_appointments import APPOINTMENT
        from concierge.kinds_orders import ORDER
        from concierge.kinds_stays import STAY

        emails.register()
        appointment_letters.register()
        appointment_tasks.register()
        appointment_fees.register()
        appointment_invariants.register()
        appointment_personal.register()
        deliveries.register()
        order_letters.register()
        order_tasks.register()
        order_fees.register()
        order_invariants.register()
        order_personal.register()
        parcel_letters.register()
        stay_letters.register()
        stay_tasks.register()
        stay_fees.register()
        stay_invariants.register()
        stay_personal.register()
        subscription_letters.register()
        tasks.register()
        invariants.register()
        parcel_invariants.register()
        money_invariants.register()
        bookings.register(LOAN)
        bookings.register(APPOINTMENT)
        bookings.register(ORDER)
        bookings.register(STAY)
        closures.register()
        closure_letters.register()
        guards.register()
        subscriptions.register()
        online.register()
        personal.register()
        parcel_traces.register()
        opinions.register()
        fees.register()
