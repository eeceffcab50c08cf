from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from club.kernel import producers
        from portal.producer_lines import lines_of

        producers.register_lines(lines_of)
