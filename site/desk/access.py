"""Who may stand behind the counter: a place's concierges and the landlord's officers."""

from club.access import staff_required
from club.enums import Role

officer = staff_required(Role.OFFICER)
staff = staff_required(Role.CONCIERGE, Role.OFFICER)
