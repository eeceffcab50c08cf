"""Letters become e-mails and SMS: one layout, a text twin, one connection a round."""

import smtplib
from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.domain.outbox import Transport, Unreachable
from club.enums import MessageChannel
from club.kernel import letters, sms_text, words
from club.kernel.letters import Attachment, Letter
from club.kernel.spans import local_day
from club.models import Message
from club.sms import send_sms


def rendered(template: str, context: dict[str, object]) -> str:
    return render_to_string(template, context).strip()


def one_line(text: str) -> str:
    """A header is one line."""
    return " ".join(part.strip(" \t") for part in text.splitlines() if part.strip(" \t"))


def letter_of(
    template: str,
    context: dict[str, object],
    *,
    button: str,
    link: str,
    short_link: str = "",
    attachments: tuple[Attachment, ...] = (),
    together: str = "",
) -> Letter:
    """The letter whose words are `{template}_subject.txt`, `_body.txt` and `_body.html`.

    Without a `short_link` an SMS bears the link itself.
    """
    return Letter(
        subject=one_line(rendered(f"{template}_subject.txt", context)),
        text=rendered(f"{template}_body.txt", context),
        html=mark_safe(rendered(f"{template}_body.html", context)),  # noqa: S308 - a template's
        button=button,
        link=link,
        short_link=short_link or link,
        attachments=attachments,
        together=together,
    )


def message_id(name: str) -> str:
    return f"<{name}@{urlsplit(settings.BASE_URL).hostname}>"


def subject_of(found: Sequence[Letter], now: datetime, group: str = "") -> str:
    """The fact with its date; of several letters, how many things and the day."""
    if len(found) == 1:
        return found[0].subject
    if subject := letters.subject_of_group(group):
        return str(subject) % {"number": len(found)}
    together = {letter.together for letter in found}
    if len(together) == 1 and (text := together.pop()):
        return text % {"number": len(found)}
    return ngettext("%(number)d rappel, %(day)s", "%(number)d rappels, %(day)s", len(found)) % {
        "number": len(found),
        "day": words.day(local_day(now), local_day(now)),
    }


def way_on(message: Message, found: Sequence[Letter]) -> tuple[str, str]:
    """The one button: the letter's own; of several, what shows all that they are about.

    Who is no member has no space of a member: the first letter's way leads on.
    """
    if message.member is None or len({letter.link for letter in found}) == 1:
        return found[0].button, found[0].link
    if len({letter.button for letter in found}) == 1:
        return _("Voir mes réservations"), settings.BASE_URL + reverse("portal:bookings")
    return _("Ouvrir mon espace"), settings.BASE_URL + reverse("portal:home")


def email_of(
    name: str, message: Message, found: Sequence[Letter], now: datetime
) -> EmailMultiAlternatives:
    """One e-mail of one letter or of several: the layout, one button, the text twin."""
    place = message.sender
    subject = one_line(subject_of(found, now, message.group))
    alone = found[0] if len(found) == 1 else None
    button, link = way_on(message, found)
    context = {
        "subject": subject,
        "letters": found,
        "alone": alone is not None,
        "button": button,
        "link": link,
        "name": message.addressee.first_name,
        "is_member": message.member is not None,
        "place": place,
        "BASE_URL": settings.BASE_URL,
    }
    email = EmailMultiAlternatives(
        subject=subject,
        body=rendered("email/base.txt", context) + "\n",
        from_email=formataddr((place.name, settings.DEFAULT_FROM_EMAIL)),
        to=[message.addressee.email],
        reply_to=[place.email] if place.email else None,
        headers={"Message-ID": message_id(name), "Auto-Submitted": "auto-generated"},
    )
    email.attach_alternative(rendered("email/base.html", context), "text/html")
    for letter in found:
        for attached in letter.attachments:
            email.attach(attached.name, attached.content, attached.mimetype)
    return email


def sms_of(message: Message, found: Sequence[Letter], now: datetime) -> str:
    _button, link = way_on(message, found)
    if link == found[0].link:
        link = found[0].short_link
    return sms_text.one_sms(message.sender.name, subject_of(found, now, message.group), link)


class MailAndSms(Transport):
    """E-mail over one connection that is opened at the first letter; SMS one by one."""

    def __init__(self) -> None:
        self.connection = get_connection()
        self.is_open = False

    def __enter__(self) -> "MailAndSms":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.is_open:
            self.connection.close()

    def open(self) -> None:
        if not self.is_open:
            try:
                self.connection.open()
            except OSError as error:
                raise Unreachable(f"the mail server does not answer ({error})") from error
            self.is_open = True

    def send(self, name: str, message: Message, found: list[Letter], now: datetime) -> None:
        with translation.override("fr"):
            if message.channel == MessageChannel.SMS:
                text = sms_of(message, found, now)
                send_sms(message.addressee.phone, text)
                return
            email = email_of(name, message, found, now)
        self.open()
        try:
            self.connection.send_messages([email])
        except smtplib.SMTPException:
            raise
        except OSError as error:
            raise smtplib.SMTPServerDisconnected(str(error)) from error

    def holds(self, name: str, message: Message) -> bool:
        ask = getattr(self.connection, "holds", None)
        if ask is None or message.channel != MessageChannel.EMAIL:
            return False
        return bool(ask(message_id(name)))
