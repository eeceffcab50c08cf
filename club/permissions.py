"""Who may do what in the admin: by role, and only at the places where the role is held.

Each model that the admin shows is `permit`ted once, in its app's `wagtail_hooks`, with
the way that leads from it to its places. From that one table come Wagtail's permission
policy (below) and the permissions of the groups (`cms.permissions.sync`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy

from club.models import Place

VIEW = frozenset({"view"})
WRITE = frozenset({"view", "add", "change"})
ALL = frozenset({"view", "add", "change", "delete"})


@dataclass(frozen=True)
class Rule:
    """What each role may do with a model.

    `path` is the look-up from the model to its places; empty for facts that belong to
    no place (school holidays), which are then the same for everybody of that role.
    """

    model: type[models.Model]
    path: str
    roles: dict[str, frozenset[str]]

    def roles_for(self, actions: Iterable[str]) -> list[str]:
        wanted = set(actions)
        return [role for role, granted in self.roles.items() if granted & wanted]


RULES: dict[type[models.Model], Rule] = {}


def permit(model: type[models.Model], *, path: str, **roles: frozenset[str]) -> None:
    """Enter a model in the table: `permit(Closure, path="place", officer=ALL)`."""
    RULES[model] = Rule(model, path, roles)
    register_permission_policy(model, ScopedPolicy(model), exact_class=True)


def roles_of(user: Any) -> list[tuple[str, int]]:
    """The user's roles with their places, read once a request (a user lives as long)."""
    if not hasattr(user, "_roles"):
        user._roles = list(user.assignments.values_list("role", "place_id"))
    return user._roles


def places_for(user: Any, model: type[models.Model], actions: Iterable[str]) -> list[int]:
    """The places at which the user holds a role that allows one of `actions`."""
    allowing = RULES[model].roles_for(actions)
    return [place_id for role, place_id in roles_of(user) if role in allowing]


def visible(
    queryset: models.QuerySet[Any], user: Any, rule: Rule, actions: Iterable[str]
) -> models.QuerySet[Any]:
    """What of `queryset` is at the user's places, under the roles that `rule` names."""
    if not user.is_active:
        return queryset.none()
    if user.is_superuser:
        return queryset
    places = places_for(user, rule.model, actions)
    path = RULES[queryset.model].path if queryset.model in RULES else ""
    if queryset.model is Place:
        return queryset.filter(pk__in=places)
    if not path:
        return queryset if places else queryset.none()
    inside = queryset.model._default_manager.filter(**{f"{path}__in": places})
    return queryset.filter(pk__in=inside.values("pk"))


class ScopedPolicy(ModelPermissionPolicy):
    """A role's permission holds at the places where the role is held, and nowhere else."""

    def user_has_any_permission(self, user: Any, actions: Iterable[str]) -> bool:
        if not user.is_authenticated or not user.is_active:
            return False
        return user.is_superuser or bool(places_for(user, self.model, actions))

    def user_has_permission(self, user: Any, action: str) -> bool:
        return self.user_has_any_permission(user, [action])

    def instances_user_has_any_permission_for(
        self, user: Any, actions: Iterable[str]
    ) -> models.QuerySet[Any]:
        everything = self.model._default_manager.all()
        if not user.is_authenticated:
            return everything.none()
        return visible(everything, user, RULES[self.model], actions)

    def user_has_any_permission_for_instance(
        self, user: Any, actions: Iterable[str], instance: models.Model
    ) -> bool:
        return (
            self.instances_user_has_any_permission_for(user, actions)
            .filter(pk=instance.pk)
            .exists()
        )

    def user_has_permission_for_instance(
        self, user: Any, action: str, instance: models.Model
    ) -> bool:
        return self.user_has_any_permission_for_instance(user, [action], instance)


def group_permissions(role: str) -> list[Permission]:
    """The Django permissions that a role's group carries for the permitted models."""
    found: list[Permission] = []
    for rule in RULES.values():
        options = rule.model._meta
        codenames = [f"{action}_{options.model_name}" for action in rule.roles.get(role, ())]
        found.extend(
            Permission.objects.filter(
                content_type__app_label=options.app_label,
                content_type__model=options.model_name,
                codename__in=codenames,
            )
        )
    return found
