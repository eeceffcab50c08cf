"""What makes a kept page untrue, and the two ways of saying so.

`restamp` is for what a page reads once per change (menus, tiles, hours): it stands in
the database, so each process sees it with the commit. `void` is for whole pages.
"""

from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from wagtail.models import Site
from wagtail.signals import page_published, page_slug_changed, page_unpublished, post_page_move

from club.models import (
    Assignment,
    Closure,
    ExceptionalHours,
    Landlord,
    OpeningHours,
    Place,
    Producer,
    SchoolHolidays,
    Season,
)
from club.signals import restamp
from cms.models import FooterItem, MenuItem, Navigation
from cms.pagecache import void
from cms.permissions import sync_user
from concierge.models import (
    Appointment,
    Copy,
    Delivery,
    DeliveryRound,
    DeliveryStock,
    Department,
    LendingPolicy,
    Loan,
    Order,
    Part,
    Plan,
    Product,
    Repair,
    RoundProduct,
    Service,
    ServiceHours,
    ServicePause,
    Tool,
)
from content.models import BasePage, Picture
from events.models import EventPage, EventPolicy, Registration, Session, WalkIn
from marketplace.models import (
    ComplianceRule,
    Convention,
    DocumentTrade,
    InsurancePrice,
    Offer,
    OfferStock,
    Partner,
    PartnerClosure,
    PartnerDocument,
    PartnerHours,
    PartnerTrade,
)

FRAMES = (FooterItem, MenuItem, Navigation, Site)
CONTENTS = (
    Appointment, Closure, ComplianceRule, Convention, Copy, Delivery,
    DeliveryRound, DeliveryStock, Department, DocumentTrade, EventPage,
    EventPolicy, ExceptionalHours, InsurancePrice, Landlord, LendingPolicy, Loan, Offer,
    OfferStock, OpeningHours, Order,
    Part, Partner, PartnerClosure, PartnerDocument, PartnerHours, PartnerTrade, Picture,
    Place, Plan, Producer, Product, Registration, Repair, RoundProduct, SchoolHolidays, Season,
    Service, ServiceHours, ServicePause, Session, Tool, WalkIn,
)  # fmt: skip

WAYS_TO_LANDLORD = (
    ("landlord",),
    ("place", "landlord"),
    ("tool", "landlord"),
    ("copy", "place", "landlord"),
    ("session", "place", "landlord"),
    ("service", "place", "landlord"),
    ("partner", "landlord"),
    ("offer", "partner", "landlord"),
    ("producer", "landlord"),
    ("round", "place", "landlord"),
    ("delivery", "place", "landlord"),
)


def landlord_of(instance: models.Model) -> Landlord | None:
    """The landlord, if it is at hand: a booking pays no statement for this."""
    if isinstance(instance, Landlord):
        return instance
    for way in WAYS_TO_LANDLORD:
        found: Any = instance
        for name in way:
            names = {field.name for field in found._meta.fields if field.is_relation}
            at_hand = name in names and type(found)._meta.get_field(name).is_cached(found)
            found = getattr(found, name) if at_hand else None
            if found is None:
                break
        if found is not None:
            return found
    return None


def content_changed(instance: models.Model, **kwargs: Any) -> None:
    """One landlord's pages where it is known whose and they have a host; else all."""
    landlord = landlord_of(instance)
    void(landlord.hostname if landlord else "")


def frame_changed(**kwargs: Any) -> None:
    restamp()
    void()


for model in CONTENTS:
    post_save.connect(content_changed, sender=model, dispatch_uid=f"page-cache-{model.__name__}")
    post_delete.connect(content_changed, sender=model, dispatch_uid=f"page-gone-{model.__name__}")
for model in FRAMES:
    post_save.connect(frame_changed, sender=model, dispatch_uid=f"frame-{model.__name__}")
    post_delete.connect(frame_changed, sender=model, dispatch_uid=f"frame-gone-{model.__name__}")
for signal in (page_published, page_unpublished, page_slug_changed, post_page_move):
    signal.connect(frame_changed, dispatch_uid=f"page-moved-{id(signal)}")
for page_type in apps.get_models():
    if issubclass(page_type, BasePage):
        post_delete.connect(
            frame_changed, sender=page_type, dispatch_uid=f"page-{page_type.__name__}"
        )


@receiver(post_save, sender=Assignment)
@receiver(post_delete, sender=Assignment)
def assignment_changed(instance: Assignment, **kwargs: Any) -> None:
    sync_user(instance.user)
