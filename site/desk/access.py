"""Who may stand behind the counter: a place's concierges and the landlord's officers."""

from club.access import staff_required
from club.enums import Role

officer = staff_required(Role.OFFICER)
staff = staff_required(Role.CONCIERGE, Role.OFFICER)
concierge = staff_required(Role.CONCIERGE)
"""Absences and keys: for those who go there, and no officer."""
