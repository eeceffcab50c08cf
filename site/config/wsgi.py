import os

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Utf8Request(WSGIRequest):
    """Words are UTF-8, whatever codec a request names: some make no text, or half signs."""

    def _set_content_type_params(self, meta: dict[str, str]) -> None:
        header = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        self.content_type, self.content_params = header


class Handler(WSGIHandler):
    request_class = Utf8Request


django.setup(set_prefix=False)
application = Handler()
