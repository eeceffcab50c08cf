"""Pictures and the base of every page: what pages are made of, but no page type."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.images.models import AbstractImage, AbstractRendition, Image
from wagtail.models import Page
from wagtail.search import index

from content.blocks import BodyField
from content.pictures import DrawnAnew, reencoded

__all__ = ["BasePage", "BodyField", "Picture", "PictureRendition"]


class Picture(AbstractImage):
    """An uploaded photo. The word beside it carries the meaning, so no text is kept."""

    admin_form_fields = Image.admin_form_fields

    class Meta(AbstractImage.Meta):
        verbose_name = _("photo")
        verbose_name_plural = _("photos")

    def clean(self) -> None:
        super().clean()
        try:
            self.draw_anew()
        except ValidationError as error:
            raise ValidationError({"file": error}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Whatever way a photo comes in, what is stored is drawn anew."""
        self.draw_anew()
        super().save(*args, **kwargs)

    def draw_anew(self) -> None:
        """Replace an upload that is not stored yet; done once, by a form or by `save`."""
        upload: Any = self.file  # type: ignore[has-type]
        if upload and not upload._committed and not isinstance(upload.file, DrawnAnew):
            self.file = reencoded(upload)
            self._set_image_file_metadata()


class PictureRendition(AbstractRendition):
    image = models.ForeignKey(Picture, models.CASCADE, related_name="renditions")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "filter_spec", "focal_point_key"], name="content_rendition_once"
            )
        ]


class BasePage(Page):
    """A page with a lead and a body; a page type adds what it alone has."""

    lead = models.CharField(
        _("chapeau"), max_length=300, blank=True, help_text=_("Une ou deux phrases courtes.")
    )
    body = BodyField(blank=True)

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("lead"), index.SearchField("body")]
    show_in_menus_default = False

    class Meta:
        abstract = True
