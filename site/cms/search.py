"""What the site's search finds: pages of this site, and the landlord's objects."""

from django.db.models import QuerySet
from rapidfuzz import fuzz, process
from wagtail.models import Page, Site

from club.kernel.people import folded
from concierge.queries.search import words_of

MOST = 8
CLOSE_ENOUGH = 78


def pages_of(site: Site) -> QuerySet[Page]:
    root = site.root_page
    return Page.objects.live().public().descendant_of(root, inclusive=False)


def search_pages(site: Site, text: str) -> list[Page]:
    """Whole words by the database's index, then titles that are nearly so."""
    pages = pages_of(site)
    # The index has a language of its own (quotes, stars); only words are asked of it.
    words = " ".join(words_of(text))
    found = list(pages.search(words)[:MOST])  # type: ignore[attr-defined]
    known = {page.pk for page in found}
    titles = {page.pk: page for page in pages if page.pk not in known}
    near = process.extract(
        folded(text),
        {pk: folded(page.title) for pk, page in titles.items()},
        scorer=fuzz.partial_ratio,
        score_cutoff=CLOSE_ENOUGH,
        limit=MOST - len(found),
    )
    return found + [titles[pk] for _title, _score, pk in near]
