"""What becomes of the concierge's bookings when a place closes: one module a kind."""

from club.kernel import closures
from concierge.domain.closures.appointments import APPOINTMENTS
from concierge.domain.closures.deliveries import DELIVERIES
from concierge.domain.closures.loans import LOANS
from concierge.domain.closures.parcels import PARCELS
from concierge.domain.closures.stays import STAYS


def register() -> None:
    closures.register(LOANS, APPOINTMENTS, PARCELS, STAYS, DELIVERIES)
