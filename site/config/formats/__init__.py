"""How days and hours are typed, where Django's own lists are not those of this country."""

TIMES = [
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S.%f",
    "%Hh%M",
    "%H h %M",
    "%Hh",
    "%H h",
]
"""As clocks and as people write them; the first is what a field shows."""
