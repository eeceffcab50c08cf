"""A file goes with its row, a producer follows its partner; and who is told of an offer."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from wagtail.admin import signal_handlers
from wagtail.models import WorkflowState
from wagtail.signals import workflow_approved, workflow_rejected, workflow_submitted

from club.models import Message
from marketplace.domain.producers import keep_in_step
from marketplace.models import (
    CallbackRequest,
    Certificate,
    Offer,
    Partner,
    PartnerDocument,
    VisitPhoto,
)


@receiver(post_delete, sender=Certificate)
@receiver(post_delete, sender=PartnerDocument)
@receiver(post_delete, sender=VisitPhoto)
def drop_file(instance: Any, **kwargs: Any) -> None:
    """After the commit: a deletion that is rolled back keeps its file."""
    if instance.file:
        storage, name = instance.file.storage, instance.file.name
        transaction.on_commit(lambda: storage.delete(name))


@receiver(post_save, sender=Partner)
def follow_partner(instance: Partner, **kwargs: Any) -> None:
    """Orders know it as a producer, by whatever way it was saved."""
    keep_in_step(instance)


@receiver(post_delete, sender=CallbackRequest)
@receiver(post_delete, sender=Certificate)
def drop_messages(instance: Any, **kwargs: Any) -> None:
    """A message is about something that is there."""
    kind = instance._meta.model_name
    Message.objects.filter(subject_kind=kind, subject_id=instance.pk).delete()


def save_for_offers(notifier: Callable[..., Any]) -> Callable[..., Any]:
    """Wagtail's own e-mail. Of offers the outbox tells, in French and after the commit."""

    def notify(instance: WorkflowState, **kwargs: Any) -> None:
        if instance.base_content_type_id != Offer.get_base_content_type().pk:
            notifier(instance=instance, **kwargs)

    return notify


for signal, notifier, name in (
    (workflow_submitted, signal_handlers.workflow_submission_email_notifier, "submitted"),
    (workflow_approved, signal_handlers.workflow_approval_email_notifier, "approved"),
    (workflow_rejected, signal_handlers.workflow_rejection_email_notifier, "rejected"),
):
    # Under the name that Wagtail gives to its own: whichever connects first, this one stays.
    key = f"workflow_state_{name}_email_notification"
    signal.disconnect(sender=WorkflowState, dispatch_uid=key)
    signal.connect(save_for_offers(notifier), sender=WorkflowState, dispatch_uid=key, weak=False)
