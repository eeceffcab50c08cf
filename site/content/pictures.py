"""What comes in as a picture leaves as pixels alone: measured, drawn anew, without EXIF."""

from io import BytesIO
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

LONGEST_SIDE = 2560
FORMATS = ("JPEG", "PNG", "WEBP")


class DrawnAnew(ContentFile):
    """A file that `reencoded` made."""


def reencoded(file: File, most_bytes: int | None = None) -> DrawnAnew:
    """The same picture drawn anew, its orientation applied; refused where it is too much.

    The size in bytes is looked at before anything is read, and the size in pixels before
    anything is decoded: a small file may unfold to gigabytes.
    """
    most = most_bytes or settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE
    if file.size > most:
        raise ValidationError(
            _("Cette photo pèse %(size)s. Choisissez-en une de %(most)s au plus.")
            % {
                "size": filesizeformat(file.size),
                "most": filesizeformat(most),
            },
            code="too_heavy",
        )
    file.seek(0)
    try:
        image = Image.open(file, formats=FORMATS)
        if image.width * image.height > settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS:
            raise ValidationError(
                _("Cette photo est trop grande. Réduisez-la, puis envoyez-la de nouveau."),
                code="too_many_pixels",
            )
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        see_through = upright.has_transparency_data
        pixels = upright.convert("RGBA" if see_through else "RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValidationError(
            _("Ce fichier n’est pas une photo lisible. Choisissez une photo JPEG, PNG ou WebP."),
            code="unreadable",
        ) from error
    # A fresh image holds the pixels and nothing of what came along with them.
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    out = BytesIO()
    if see_through:
        bare.save(out, "PNG", optimize=True)
    else:
        bare.save(out, "JPEG", quality=85, optimize=True, progressive=True)
    name = PurePath(file.name or "photo").stem + (".png" if see_through else ".jpg")
    return DrawnAnew(out.getvalue(), name=name)


def drawings() -> list[tuple[str, str]]:
    """The drawings of objects that the site ships, as choices: key and words."""
    folder = settings.BASE_DIR / "site" / "static" / "img" / "tools"
    keys = sorted(path.stem for path in folder.glob("*.svg"))
    return [(key, key.replace("-", " ").capitalize()) for key in keys]
