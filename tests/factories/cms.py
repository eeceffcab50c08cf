from wagtail.models import Page

from club.models import Place, User
from cms.models import HomePage
from cms.permissions import sync
from cms.setup import build_site
from tests.factories.club import AssignmentFactory


def published(page: Page) -> Page:
    page.save_revision().publish()
    return page


def site_for(place: Place) -> HomePage:
    return build_site(place)


def staff(place: Place, role: str, email: str = "") -> User:
    """Somebody with a role, and the group's permissions as `migrate` leaves them."""
    sync()
    more = {"user__email": email} if email else {}
    return AssignmentFactory(place=place, role=role, **more).user
