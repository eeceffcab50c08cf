"""A partner's photo joins those of its place, where the place's editors find it."""

from typing import Any

from django.core.exceptions import ValidationError
from wagtail.models import Collection

from club.kernel.refusal import refuse
from club.models import User
from content.models import Picture
from content.pictures import reencoded
from marketplace.models import Partner
from marketplace.queries.people import place_for


def keep_picture(
    upload: Any, partner: Partner, *, title: str, by: User | None, field: str = "picture"
) -> Picture:
    """The upload as a photo, drawn anew; `field` is where a refusal is told."""
    try:
        file = reencoded(upload)
    except ValidationError as error:
        raise refuse("photo_unfit", error.messages[0], field) from error
    collection = collection_for(partner)
    return Picture.objects.create(
        title=title, file=file, collection=collection, uploaded_by_user=by
    )


def collection_for(partner: Partner) -> Collection:
    """The one that bears the place's name; the root where no page was made for it yet."""
    root = Collection.get_first_root_node() or Collection.add_root(name="Root")
    place = place_for(partner)
    return (place and root.get_children().filter(name=place.name).first()) or root
