"""The one place where a status changes."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import refuse
from club.kernel.rows import insert

if TYPE_CHECKING:
    from club.models import User


class WrongStep(Exception):
    """A step that is not in the table: a fault in the code, not in the input."""


def log(
    subject: models.Model,
    verb: str,
    *,
    by: "User | None",
    now: datetime,
    channel: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """One row that tells who did what to which thing, in the caller's transaction."""
    insert(
        apps.get_model("club", "LogEntry")(
            subject_kind=subject._meta.label_lower.split(".")[1],
            subject_id=subject.pk,
            verb=verb,
            actor=by,
            at=now,
            channel=channel,
            facts=facts or {},
        )
    )


def move(
    instance: models.Model,
    to: str,
    *,
    by: "User | None",
    now: datetime,
    verb: str = "",
    channel: str = "",
    facts: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Move `instance.status` to `to`, with `changes` to other fields, and log it.

    The row is read again under lock, so that two people at once cannot both take
    the step; a step that the status no longer allows is refused with the sentence
    that tells what happened. The model's `MOVES` is the table: {from: {to, …}}.
    """
    if not transaction.get_connection().in_atomic_block:
        raise WrongStep("A status changes only inside a transaction.")
    model = type(instance)
    current = (
        model._default_manager.select_for_update(no_key=True)
        .values_list("status", flat=True)
        .get(pk=instance.pk)
    )
    if to not in model.MOVES.get(current, ()):  # type: ignore[attr-defined]
        instance.status = current  # type: ignore[attr-defined]
        label = instance.get_status_display()  # type: ignore[attr-defined]
        raise refuse(
            "wrong_state",
            _("Ce n’est plus possible : c’est déjà « %(state)s ».") % {"state": label},
            state=current,
        )
    stamp = f"{to}_at"
    fields = {field.name for field in model._meta.fields}
    if stamp in fields:
        changes.setdefault(stamp, now)
    changes["status"] = to
    for name, value in changes.items():
        setattr(instance, name, value)
    instance.save(update_fields=[*changes])
    log(
        instance,
        verb or to,
        by=by,
        now=now,
        channel=channel,
        facts={"from": current, "to": to} | (facts or {}),
    )
