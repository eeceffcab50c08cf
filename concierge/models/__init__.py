from concierge.models.catalogue import Copy, Department, Part, Repair, Tool
from concierge.models.lending import LendingPolicy, Loan

__all__ = ["Copy", "Department", "LendingPolicy", "Loan", "Part", "Repair", "Tool"]
