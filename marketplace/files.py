"""Papers are kept apart from the site's pictures, and no address leads to them.

A paper is a PDF or a photo of some size, told by its bytes and not by its name. A PDF
that runs something when it is opened is refused.
"""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from club.kernel.private import sort_of

MOST_BYTES = 10 * 1024 * 1024
HEIC = re.compile(rb"ftyp(?:heic|heix|hevc|heim|heis|mif1|msf1)")
ACTIVE = re.compile(
    rb"/(?:JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA|SubmitForm|ImportData|GoToR|GoToE)\b"
    rb"|/(?:OpenAction|AA)\s*<<[^\[]{0,80}?/URI\b"
)
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def check_paper(file: Any) -> str:
    """The media type of an upload. Raises `ValidationError` with what is wrong with it."""
    if file.size > MOST_BYTES:
        raise ValidationError(
            _("Ce fichier fait %(size)s. Envoyez-en un de %(most)s au plus.")
            % {"size": filesizeformat(file.size), "most": filesizeformat(MOST_BYTES)},
            code="too_large",
        )
    file.seek(0)
    content = file.read()
    file.seek(0)
    sort = sort_of(content[:16])
    if sort is None and HEIC.match(content[4:12]):
        raise ValidationError(
            _("Cette photo est au format HEIC. Prenez-la depuis cette page, ou envoyez un JPEG."),
            code="heic",
        )
    if sort is None:
        raise ValidationError(_("Envoyez un PDF ou une photo (JPEG, PNG)."), code="wrong_type")
    if sort == "application/pdf" and is_active(content):
        raise ValidationError(
            _("Ce PDF contient un programme. Imprimez-le de nouveau en PDF, ou prenez une photo."),
            code="active_pdf",
        )
    return sort


def is_active(content: bytes) -> bool:
    """Names can be written with #xx for a letter; what is inside compressed streams is
    not read, so a viewer's own protection remains the last."""
    plain = ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    return ACTIVE.search(plain) is not None
