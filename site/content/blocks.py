"""What a page is written with: a few blocks, each with one shape on the screen."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageBlock

FEATURES = ["bold", "ol", "ul", "link", "document-link"]


class HeadingBlock(blocks.CharBlock):
    class Meta:
        icon = "title"
        label = _("Titre")
        template = "content/blocks/heading.html"


class ParagraphBlock(blocks.RichTextBlock):
    class Meta:
        icon = "pilcrow"
        label = _("Texte")
        template = "content/blocks/paragraph.html"


class PictureBlock(blocks.StructBlock):
    image = ImageBlock(label=_("Photo"))
    caption = blocks.CharBlock(label=_("Légende"), required=False, max_length=160)

    class Meta:
        icon = "image"
        label = _("Photo")
        template = "content/blocks/picture.html"


class NoticeBlock(blocks.StructBlock):
    kind = blocks.ChoiceBlock(
        label=_("Sorte"),
        choices=[("know", _("À savoir")), ("done", _("C’est fait"))],
        default="know",
    )
    strong = blocks.CharBlock(label=_("Premiers mots, en gras"), required=False, max_length=80)
    text = blocks.TextBlock(label=_("Texte"))

    class Meta:
        icon = "info-circle"
        label = _("Avis")
        template = "content/blocks/notice.html"


class ButtonValue(blocks.StructValue):
    def href(self) -> str:
        page = self.get("page")
        return str(page.url) if page and page.live and page.url else str(self.get("url") or "")


class ButtonBlock(blocks.StructBlock):
    label = blocks.CharBlock(
        label=_("Verbe"), max_length=60, help_text=_("Par exemple : Voir les objets.")
    )
    page = blocks.PageChooserBlock(label=_("Page"), required=False)
    url = blocks.RegexBlock(
        label=_("Ou adresse"),
        required=False,
        regex=r"^(/|https://|tel:|mailto:)\S*$",
        error_messages={"invalid": _("L’adresse commence par /, https://, tel: ou mailto:.")},
    )

    class Meta:
        icon = "link"
        label = _("Bouton")
        template = "content/blocks/button.html"
        value_class = ButtonValue

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if not cleaned["page"] and not cleaned["url"]:
            raise blocks.StructBlockValidationError(
                non_block_errors=[_("Choisissez une page ou écrivez une adresse.")]
            )
        return cleaned


class StepsBlock(blocks.ListBlock):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(blocks.TextBlock(label=_("Étape"), rows=2), **kwargs)

    class Meta:
        icon = "list-ol"
        label = _("Étapes")
        template = "content/blocks/steps.html"


class QuestionBlock(blocks.StructBlock):
    question = blocks.CharBlock(label=_("Question"), max_length=160)
    answer = blocks.RichTextBlock(label=_("Réponse"), features=FEATURES)

    class Meta:
        icon = "help"
        label = _("Question et réponse")
        template = "content/blocks/question.html"


class ContactBlock(blocks.StructBlock):
    name = blocks.CharBlock(label=_("Nom"), max_length=80)
    role = blocks.CharBlock(label=_("Rôle"), required=False, max_length=120)
    phone = blocks.CharBlock(label=_("Téléphone"), required=False, max_length=20)
    email = blocks.EmailBlock(label=_("E-mail"), required=False)
    hours = blocks.CharBlock(label=_("Quand appeler"), required=False, max_length=120)

    class Meta:
        icon = "user"
        label = _("Contact")
        template = "content/blocks/contact.html"


class BodyBlock(blocks.StreamBlock):
    heading = HeadingBlock(max_length=120)
    paragraph = ParagraphBlock(features=FEATURES)
    picture = PictureBlock()
    notice = NoticeBlock()
    button = ButtonBlock()
    steps = StepsBlock()
    question = QuestionBlock()
    contact = ContactBlock()


class BodyField(StreamField):
    """The text of every page. Migrations do not hold its blocks: a new label is no migration."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("block_lookup", None)
        kwargs.setdefault("verbose_name", _("texte"))
        super().__init__(BodyBlock(), **kwargs)

    def deconstruct(self) -> Any:
        name, path, _args, kwargs = super().deconstruct()
        kwargs.pop("block_lookup", None)
        kwargs.pop("verbose_name", None)
        return name, path, [], kwargs
