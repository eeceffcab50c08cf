"""The six departments, and the words by which other catalogues call their categories."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from club.kernel.people import folded
from club.models import Landlord
from concierge.models import Department
from content.enums import Wall


@dataclass(frozen=True)
class Shelf:
    """A department as a new landlord gets it."""

    slug: str
    name: str
    wall: str
    pictures: str
    words: str


SHELVES = (
    Shelf("bricoler", "Bricoler", Wall.BUTTER, "perceuse caisse-a-outils", (
        "bricolage outil outils outillage atelier peinture plomberie electricite menuiserie"
        " home improvement inspection tool tools diy hardware measurement detection auto vehicle"
        " drill saw hammer carpentry painting plumbing electrical perceuse scie ponceuse echelle"
    )),
    Shelf("nettoyer", "Nettoyer", Wall.WATER, "aspirateur shampouineuse", (
        "nettoyage menage entretien linge lavage repassage cleaning laundry vacuum household"
        " carpet steam washer aspirateur shampouineuse"
    )),
    Shelf("cuisiner", "Cuisiner", Wall.CLAY, "gaufrier robot-patissier", (
        "cuisine electromenager culinaire patisserie kitchen cooking cookware baking food dining"
        " instant pot gaufre crepe robot cuisson"
    )),
    Shelf("feter", "Faire la fête", Wall.ROSE, "guirlande sono", (
        "fete fetes reception evenement musique son jeux jeu loisirs party event entertainment"
        " music game games gaming toys karaoke technology audio video projector barnum"
    )),
    Shelf("jardiner", "Jardiner", Wall.LINDEN, "arrosoir tondeuse", (
        "jardin jardinage plein air exterieur garden gardening lawn yard outdoor power tondeuse"
        " haie taille potager"
    )),
    Shelf("s-equiper", "S’équiper", Wall.HONEY, "machine-a-coudre valise", (
        "equipement couture bebe enfance voyage sport camping velo mobilite sante divers autre"
        " autres sewing crafts baby travel sporting goods camping bicycle health wellness"
        " recreation luggage clothing misc other dolls outdoor"
    )),
)  # fmt: skip
LAST_RESORT = "s-equiper"


def ensure_departments(landlord: Landlord) -> dict[str, Department]:
    """The landlord's departments by slug; one without any is given the six."""
    held = {department.slug: department for department in landlord.departments.all()}
    if held:
        return held
    for position, shelf in enumerate(SHELVES):
        held[shelf.slug] = Department.objects.create(
            landlord=landlord, slug=shelf.slug, name=shelf.name, wall=shelf.wall,
            pictures=shelf.pictures, position=position,
        )  # fmt: skip
    return held


def names_of(landlord: Landlord) -> dict[str, str]:
    """Slug and name of the departments that `ensure_departments` would return."""
    held = dict(landlord.departments.values_list("slug", "name"))
    return held or {shelf.slug: shelf.name for shelf in SHELVES}


def slug_for(category: str, tool: str, names: dict[str, str]) -> tuple[str, str]:
    """The department meant by a category (or, without one, by the tool's name), and a
    word for the report where it was not named exactly."""
    asked = folded(category)
    by_name = {folded(name): slug for slug, name in names.items()}
    by_name |= {folded(slug): slug for slug in names}
    if asked in by_name:
        return by_name[asked], ""
    near = process.extractOne(asked, list(by_name), scorer=fuzz.ratio) if asked else None
    if near is not None and near[1] >= 85:
        slug = by_name[near[0]]
    else:
        slug = by_words(asked, names) or by_words(folded(tool), names) or ""
    if slug:
        shown = {"category": category or "—", "name": names[slug]}
        return slug, _("rayon « %(category)s » lu « %(name)s »") % shown
    slug = LAST_RESORT if LAST_RESORT in names else next(iter(names))
    return slug, _("rayon « %(category)s » inconnu, mis dans « %(name)s »") % {
        "category": category or "—", "name": names[slug],
    }  # fmt: skip


def by_words(text: str, names: dict[str, str]) -> str | None:
    """The department whose words are most like those of `text`."""
    best, best_score = None, 0.0
    for shelf in SHELVES:
        if shelf.slug not in names:
            continue
        vocabulary = shelf.words.split()
        score = sum(
            max(fuzz.ratio(word, known) for known in vocabulary) >= 86 for word in text.split()
        )
        if score > best_score:
            best, best_score = shelf.slug, score
    return best
