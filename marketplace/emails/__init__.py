"""How partners and members are told; one file for each thing that is told about."""

from marketplace.emails import (
    callbacks,
    certificates,
    monthly,
    offers,
    page,
    papers,
    people,
    reports,
    suggestions,
    visits,
)


def register() -> None:
    callbacks.register()
    certificates.register()
    monthly.register()
    offers.register()
    page.register()
    papers.register()
    people.register()
    reports.register()
    suggestions.register()
    visits.register()
