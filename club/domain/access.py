"""Who works where: roles, their groups and the second factor."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from club.enums import Role
from club.kernel.refusal import refuse
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Assignment, Place, User


def sync_groups(user: User) -> None:
    """Make the user's groups those of their roles; groups of other names are left alone."""
    held = set(user.assignments.values_list("role", flat=True))
    roles = set(Role.values)
    user.groups.remove(*user.groups.filter(name__in=roles - held))
    user.groups.add(*(Group.objects.get_or_create(name=role)[0] for role in sorted(held)))


@in_one_transaction
def assign(user: User, place: Place, role: str, *, by: User | None, now: datetime) -> Assignment:
    """Give a role at a place, once."""
    assignment, created = Assignment.objects.get_or_create(user=user, place=place, role=role)
    if created:
        log(assignment, "assign", by=by, now=now, facts={"role": role, "place": place.pk})
    sync_groups(user)
    return assignment


@in_one_transaction
def dismiss(assignment: Assignment, *, by: User | None, now: datetime) -> None:
    """Take a role back; the person's own account stays."""
    if by == assignment.user:
        raise refuse("own_role", _("Demandez à quelqu’un d’autre de retirer votre rôle."))
    log(assignment, "dismiss", by=by, now=now, facts={"role": assignment.role})
    user = assignment.user
    assignment.delete()
    sync_groups(user)


def set_second_factor(user: User, secret: str) -> None:
    """Give a known one-time-code secret (base 32), in place of any other: demonstrations."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
    TOTP.activate(user, secret)
