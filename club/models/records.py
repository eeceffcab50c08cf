"""What the house writes down: the log, messages to send, tokens and their answers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from club.enums import MessageChannel, MessageStatus, Scope
from club.models.people import Member, User
from club.models.places import Place


class LogEntry(models.Model):
    """Who did what to which thing: written in the transaction of the deed."""

    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    verb = models.CharField(max_length=40)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    channel = models.CharField(max_length=8, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("journal")
        verbose_name_plural = _("journal")
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="club_log_subject")]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id}: {self.verb}"


class Message(models.Model):
    """One thing to tell one person: the outbox. Words are made when it leaves.

    `key` makes each message unique (no person is told the same thing twice);
    messages of one `group` for one person that are due together leave as one.

    The person is a member, or somebody who acts through a `user` alone (a partner):
    the message then says itself in the name of which `place` it leaves.
    """

    key = models.CharField(max_length=120, unique=True)
    event = models.CharField(max_length=40)
    group = models.CharField(max_length=20, blank=True)
    member = models.ForeignKey(Member, models.CASCADE, null=True, related_name="messages")
    user = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="messages", db_index=False
    )
    place = models.ForeignKey(Place, models.CASCADE, null=True, related_name="+", db_index=False)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    channel = models.CharField(max_length=8, choices=MessageChannel.choices)
    facts = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    status = models.CharField(
        max_length=8, choices=MessageStatus.choices, default=MessageStatus.PENDING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(status__in=["pending", "sending"]),
                name="club_message_to_send",
            ),
            models.Index(fields=["subject_kind", "subject_id"], name="club_message_subject"),
            models.Index(
                fields=["user"], condition=models.Q(user__isnull=False), name="club_message_user"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(member__isnull=False, user=None, place=None)
                | models.Q(member=None, user__isnull=False, place__isnull=False),
                name="club_message_to_one",
            )
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def addressee(self) -> User:
        if self.member is not None:
            return self.member.user
        assert self.user is not None
        return self.user

    @property
    def sender(self) -> Place:
        """Whose name and reply address the message bears."""
        if self.member is not None:
            return self.member.place
        assert self.place is not None
        return self.place


class ApiToken(models.Model):
    """A bearer token; only its digest is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="access_tokens")
    name = models.CharField(_("nom"), max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(_("permet de"), max_length=5, choices=Scope.choices)
    created_at = models.DateTimeField(_("créé le"))
    revoked_at = models.DateTimeField(_("annulé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("jeton d’accès")
        verbose_name_plural = _("jetons d’accès")

    def __str__(self) -> str:
        return self.name


class IdempotentAnswer(models.Model):
    """The answer given to a key, so that the same request has one effect and one answer."""

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=80)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    location = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="club_idempotency_once")
        ]

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When each background process was last seen alive; the health page reads it."""

    name = models.CharField(max_length=40, unique=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class UsageCount(models.Model):
    """Uses of one key in its present window, where no Redis counts them."""

    key = models.CharField(max_length=120, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
