"""The groups of the admin: one per role, and one per role and place for its pages.

A role's group says what its people may do at all; `club.permissions` says at which
places. Wagtail's own permissions (pages, pictures, menus) go by group alone, so each
place has a group of its own for them. Officers and editors write all the pages of a
place; its concierges those of its programme alone.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models.signals import post_save
from django.dispatch import receiver
from wagtail import hooks
from wagtail.models import (
    Collection,
    GroupCollectionPermission,
    GroupPagePermission,
    GroupSitePermission,
    Page,
    Site,
)

from club.enums import Role
from club.models import Place, User
from club.permissions import group_permissions
from cms.models import HomePage
from events.models import EventIndex

PAGE_ROLES = (Role.OFFICER, Role.EDITOR)
PLACE_ROLES = (*PAGE_ROLES, Role.CONCIERGE)
"""Roles that have a group at each place."""
PAGE_ACTIONS = ("add_page", "change_page", "publish_page")
FILE_ACTIONS = {
    "add_image": "wagtailimages", "change_image": "wagtailimages",
    "choose_image": "wagtailimages",
    "add_document": "wagtaildocs", "change_document": "wagtaildocs",
    "choose_document": "wagtaildocs",
}  # fmt: skip


def permission(app_label: str, codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


def sync() -> None:
    """Make the groups carry what the table says. Run after each `migrate`.

    The apps' permissions are made one after the other, some after this: so all first.
    """
    hooks.search_for_hooks()
    for config in apps.get_app_configs():
        create_permissions(config, verbosity=0)
    for role in Role.values:
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set([door(), *group_permissions(role)])
    for place in Place.objects.filter(home_page__isnull=False):
        for role in PAGE_ROLES:
            sync_place_group(place, role)
    for index in EventIndex.objects.select_related("place"):
        sync_programme_group(index)


def door() -> Permission:
    """What opens the admin; Wagtail's migration makes it, an emptied database lacks it."""
    kind, _created = ContentType.objects.get_or_create(app_label="wagtailadmin", model="admin")
    return Permission.objects.get_or_create(
        content_type=kind, codename="access_admin", defaults={"name": "Can access Wagtail admin"}
    )[0]


def group_of(place: Place, role: str) -> str:
    return f"{role}:{place.slug}"


def sync_place_group(place: Place, role: str) -> Group:
    """The group of one role at one place: its pages, its files, its site's menus."""
    home: HomePage = place.home_page
    group, _created = Group.objects.get_or_create(name=group_of(place, role))
    may_write(group, home.page_ptr, place)
    for site in Site.objects.filter(root_page=home.page_ptr):
        GroupSitePermission.objects.get_or_create(
            group=group, site=site, permission=permission("cms", "change_navigation")
        )
    return group


def may_write(group: Group, page: Page, place: Place) -> None:
    """A page with all below it, and the files of the place to put there."""
    for codename in PAGE_ACTIONS:
        GroupPagePermission.objects.get_or_create(
            group=group, page=page, permission=permission("wagtailcore", codename)
        )
    collection = collection_of(place)
    for codename, app_label in FILE_ACTIONS.items():
        GroupCollectionPermission.objects.get_or_create(
            group=group, collection=collection, permission=permission(app_label, codename)
        )


def sync_programme_group(index: EventIndex) -> Group:
    """The concierges of a place write its events, and no other page."""
    name = group_of(index.place, Role.CONCIERGE)
    group, _created = Group.objects.get_or_create(name=name)
    may_write(group, index.page_ptr, index.place)
    return group


@receiver(post_save, sender=EventIndex)
def programme_opened(instance: EventIndex, created: bool, **kwargs: Any) -> None:
    if not created or not HomePage.objects.ancestor_of(instance).exists():
        return
    sync_programme_group(instance)
    for assignment in instance.place.assignments.select_related("user"):
        sync_user(assignment.user)


def collection_of(place: Place) -> Collection:
    """Where the pictures and documents of a place lie."""
    root = Collection.get_first_root_node() or Collection.add_root(name="Root")
    found = root.get_children().filter(name=place.name).first()
    return found or root.add_child(name=place.name)


def sync_user(user: User) -> None:
    """Make a person's groups of places those of their roles."""
    held = {
        group_of(assignment.place, assignment.role)
        for assignment in user.assignments.select_related("place")
        if assignment.role in PLACE_ROLES
    }
    of_places = user.groups.filter(name__contains=":")
    user.groups.remove(*of_places.exclude(name__in=held))
    user.groups.add(*Group.objects.filter(name__in=held))
