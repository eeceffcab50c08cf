from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = "Partenaires"

    def ready(self) -> None:
        from club.kernel import homes, producers
        from marketplace import emails, signals, tasks  # noqa: F401
        from marketplace.access import partner_home
        from marketplace.domain import fees, invariants, opinions, personal
        from marketplace.domain.producers import days_off
        from marketplace.domain.producers import tell as tell_producer
        from marketplace.emails.letters import address_of

        homes.register("partner", partner_home)
        producers.register_people(tell_producer, address_of, days_off)
        emails.register()
        fees.register()
        invariants.register()
        opinions.register()
        personal.register()
        tasks.register()
