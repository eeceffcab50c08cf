"""A letter to somebody who acts for a partner: its button lets them in."""

from django.conf import settings
from django.urls import reverse

from club.emails import letter_of
from club.kernel.letters import Attachment, Letter
from club.models import Message
from marketplace.domain.people import signed
from marketplace.models import EntryLink


def partner_letter(
    template: str,
    context: dict[str, object],
    message: Message,
    *,
    button: str,
    attachments: tuple[Attachment, ...] = (),
) -> Letter:
    link = address_of(message)
    return letter_of(template, context, button=button, link=link, attachments=attachments)


def address_of(message: Message) -> str:
    """`message.facts["link"]` is the entry link that `domain.told` made with the message."""
    link = EntryLink.objects.get(pk=message.facts["link"])
    return settings.BASE_URL + reverse("pro:entry", args=[signed(link)])
