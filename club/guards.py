"""What the database refuses for the whole house: a change of what was entered."""

from club.kernel import guards

ENTRIES_STAY = guards.append_only("club_entries_stay", "club_ledgerentry")
RECEIPTS_STAY = guards.append_only("club_receipts_stay", "club_receipt")


def register() -> None:
    guards.register(ENTRIES_STAY, RECEIPTS_STAY)
