"""The pages that a new place begins with: useful on the first day, changed by its editors.

Each text says what can be done at the desk today. Nothing is promised for later, and no
link leads nowhere.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from wagtail.models import Locale, Page, Site

from club.domain.retention import kept_for
from club.models import Place
from cms.enums import Target
from cms.models import (
    AccessibilityPage,
    AccessibilityScheme,
    Article,
    ArticleIndex,
    FooterItem,
    HomeButton,
    HomePage,
    MenuItem,
    Navigation,
    SchemeAction,
    ServicePage,
    StandardPage,
    Tile,
    WeekNote,
)
from cms.permissions import sync, sync_user
from content.enums import Wall
from events.models import EventIndex

NBSP = "\u00a0"
PROGRAMME = "evenements"
"""The one service whose page is a programme: each place has its own."""
Block = tuple[str, Any]


def heading(text: str) -> Block:
    return ("heading", text)


def text(*paragraphs: str) -> Block:
    return ("paragraph", "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))


def steps(*lines: str) -> Block:
    return ("steps", list(lines))


def question(asked: str, answer: str) -> Block:
    return ("question", {"question": asked, "answer": f"<p>{answer}</p>"})


@dataclass(frozen=True)
class Service:
    slug: str
    title: str
    menu: str
    wall: str
    pictures: str
    lead: str
    practical: str
    body: list[Block] = field(default_factory=list)
    target: str = ""
    """A screen of ours, where the service has one instead of a page."""

    def way(self, pages: dict[str, Page]) -> dict[str, Any]:
        """Where its window and its entry of the menu lead."""
        return {"target": self.target} if self.target else {"page": pages[self.slug].page_ptr}


def services() -> list[Service]:
    return [
        Service(
            slug="services",
            title="Réserver un service",
            menu="Services",
            wall=Wall.WATER,
            pictures="tiles/service tiles/rendez-vous",
            lead="Colis, photocopies, aide aux démarches, garde de clés"
            f"{NBSP}: l’accueil vous rend service.",
            practical="<p>Prenez rendez-vous par téléphone, ou passez à l’accueil.</p>",
            body=[
                heading("Ce que nous faisons pour vous"),
                text(
                    "<b>Vos colis.</b> Donnez notre adresse au livreur. Nous gardons le colis"
                    " dix jours.",
                    "<b>Vos papiers.</b> Nous imprimons, copions et numérisons vos documents.",
                    "<b>Vos démarches.</b> Nous les faisons avec vous, sur l’ordinateur de"
                    " l’accueil.",
                    "<b>Vos clés et vos plantes.</b> Vous partez quelques jours"
                    f"{NBSP}? Parlez-en à l’accueil.",
                ),
                heading("Comment faire"),
                steps(
                    "Appelez l’accueil ou passez nous voir.",
                    "Dites ce qu’il vous faut, et quand vous êtes libre.",
                    "Nous fixons le rendez-vous ensemble et vous donnons un papier.",
                ),
                question(
                    f"Et si je ne peux pas venir{NBSP}?",
                    "Appelez-nous. Nous déplaçons le rendez-vous.",
                ),
            ],
        ),
        Service(
            slug="pain-et-paniers",
            title="Pain et paniers",
            menu="Pain et paniers",
            wall=Wall.CLAY,
            pictures="tiles/pain-paniers",
            lead="Du pain frais et des légumes de saison, à retirer en bas de chez vous.",
            practical="<p>Commandez à l’accueil ou par téléphone.</p>"
            "<p>Vous payez en espèces ou par chèque, au retrait.</p>",
            body=[
                heading("Le panier de légumes"),
                text(
                    "Un maraîcher des environs le remplit chaque semaine.",
                    "Commandez <b>avant mercredi soir</b>. Retirez-le le <b>vendredi</b>.",
                ),
                heading("Le pain"),
                text(
                    "Le boulanger du quartier le dépose le matin.",
                    "Commandez la veille, avant la fermeture de l’accueil.",
                ),
                question(
                    f"Quelqu’un peut-il retirer pour moi{NBSP}?",
                    "Oui. Donnez son nom à l’accueil quand vous commandez.",
                ),
            ],
        ),
        Service(
            slug=PROGRAMME,
            title="Événements",
            menu="Événements",
            wall=Wall.ROSE,
            pictures="tiles/guirlande-fanions tiles/evenements",
            lead="Ateliers, repas et sorties avec les voisins.",
            practical="",
            body=[
                question(
                    f"Faut-il être membre{NBSP}?",
                    "Non, pour les fêtes de quartier. Oui, pour s’inscrire aux ateliers.",
                ),
            ],
        ),
        Service(
            slug="avantages",
            title="Avantages",
            menu="Avantages",
            wall=Wall.LINDEN,
            pictures="tiles/avantages",
            lead="",
            practical="",
            target=Target.PARTNERS,
        ),
        Service(
            slug="entraide",
            title="Aide entre voisins",
            menu="Entraide",
            wall=Wall.HONEY,
            pictures="tiles/entraide",
            lead="Un coup de main de temps en temps, entre voisins qui se font confiance.",
            practical="<p>L’accueil tient un cahier de demandes et de propositions.</p>",
            body=[
                heading("Demander ou proposer"),
                steps(
                    "Dites à l’accueil ce qu’il vous faut, ou ce que vous savez faire.",
                    "Nous cherchons avec vous un voisin qui convient.",
                    "Vous vous mettez d’accord, à l’accueil si vous voulez.",
                ),
                heading("Ce qui se fait, ce qui ne se fait pas"),
                text(
                    "Monter un meuble, arroser des plantes, lire un courrier, tenir compagnie.",
                    "C’est un coup de main, sans argent et sans habitude.",
                    "Ni gaz, ni électricité, ni toiture, ni soin à une personne"
                    f"{NBSP}: appelez un professionnel.",
                ),
            ],
        ),
    ]


def legal_pages(place: Place) -> list[tuple[str, str, list[Block]]]:
    landlord = place.landlord.name
    address = f"{place.address}, {place.postcode} {place.city}"
    return [
        (
            "mentions-legales",
            "Mentions légales",
            [
                heading("Qui publie ce site"),
                text(
                    f"{landlord} publie ce site pour {place.name}.",
                    f"Adresse{NBSP}: {address}.",
                    f"Téléphone{NBSP}: {place.phone}. E-mail{NBSP}: {place.email}.",
                    f"La direction de {landlord} est responsable de la publication.",
                ),
                heading("Qui l’héberge"),
                text(f"{landlord} tient à disposition le nom et l’adresse de l’hébergeur."),
                heading("Les images et les textes"),
                text("Demandez à l’accueil avant de reprendre une image ou un texte."),
            ],
        ),
        (
            "donnees-personnelles",
            "Données personnelles",
            [
                heading("Ce que nous gardons, et pourquoi"),
                text(
                    "Votre nom, et l’e-mail ou le téléphone que vous donnez"
                    f"{NBSP}: pour vous reconnaître et vous prévenir.",
                    f"Vos réservations et vos prêts{NBSP}: pour vous rendre le service.",
                    "Le fichier des locataires n’est pas copié ici. Une preuve de location est"
                    " un oui ou un non, avec sa date.",
                ),
                heading("Combien de temps"),
                text(
                    *(f"{what}{NBSP}: {how_long}." for what, how_long in kept_for()),
                    "Nous vous prévenons 30 jours avant d’effacer un compte.",
                ),
                heading("Les cookies"),
                text(
                    "Un cookie garde votre connexion, un autre protège les formulaires.",
                    "Il n’y a pas de mesure d’audience, ni de publicité.",
                ),
                heading("Vos droits"),
                text(
                    "Vous pouvez voir, corriger, emporter ou effacer vos données"
                    f"{NBSP}: dans «{NBSP}Mon espace{NBSP}», puis «{NBSP}Mes informations{NBSP}».",
                    f"Écrivez à {place.email}, appelez le {place.phone} ou passez à l’accueil.",
                    "Une réponse ne vous convient pas"
                    f"{NBSP}? Écrivez à la CNIL, 3 place de Fontenoy, 75007 Paris.",
                ),
            ],
        ),
    ]


def add(parent: Page, page: Page, **changes: Any) -> Page:
    """The child of that slug, as it is if it is there already: editors' work is kept."""
    found = parent.get_children().filter(slug=page.slug).first()
    if found is not None:
        return found.specific
    parent.add_child(instance=page)
    page.save_revision().publish()
    return page


def root_page() -> Page:
    """Wagtail's migrations make the root and the language; an emptied database lacks them."""
    Locale.objects.get_or_create(language_code="fr")
    ContentType.objects.get_for_model(Page)
    return Page.get_first_root_node() or Page.add_root(title="Root", slug="root")


def site_of(place: Place) -> Site | None:
    """The site that this place's landlord has already, if it has one."""
    return Site.objects.filter(root_page__homepage__place__landlord=place.landlord).first()


def open_site(home: HomePage) -> Site:
    """The landlord's own host; without one, the default site in place of Wagtail's own."""
    hostname = home.place.landlord.hostname
    if hostname:
        return Site.objects.create(
            hostname=hostname, site_name=home.place.landlord.name, root_page=home
        )
    site = Site.objects.filter(is_default_site=True).first() or Site(
        hostname="localhost", is_default_site=True
    )
    welcome = site.root_page if site.pk else None
    site.root_page = home
    site.site_name = home.place.landlord.name
    site.save()
    if welcome is not None and welcome.specific_class is Page and welcome.depth > 1:
        Page.objects.get(pk=welcome.pk).delete()
    return site


def make_home(place: Place, parent: Page) -> HomePage:
    of = "d’" if place.landlord.name[:1].lower() in "aehiouyéè" else "de "
    tenant = f"<b>1{NBSP}€ par mois</b> pour les locataires {of}{place.landlord.name}"
    others = f"<b>5{NBSP}€ par mois</b> pour les autres habitants."
    home = HomePage(
        title=place.name,
        slug=f"accueil-{place.slug}" if parent.depth == 1 else place.slug,
        place=place,
        promise="On vous rend service, en bas de chez vous.",
        lead="Empruntez une perceuse. Commandez votre pain. Faites garder un colis.",
        price_line=f"<p>{tenant}, {others}</p>",
        search_description=f"{place.name}{NBSP}: prêt d’objets, services et vie de quartier.",
    )
    parent.add_child(instance=home)
    return home


def furnish_home(home: HomePage, pages: dict[str, Page], catalogue: Service) -> None:
    """Buttons, six windows and the first lines of the week."""
    today = timezone.localdate()
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    wednesday = today + timedelta(days=(2 - today.weekday()) % 7)
    home.buttons = [
        HomeButton(label="Devenir membre", target=Target.SIGN_UP, sort_order=0),
        HomeButton(label="Voir les objets à emprunter", target=Target.CATALOGUE, sort_order=1),
    ]
    home.tiles = [
        Tile(
            label=catalogue.title, target=Target.CATALOGUE, wall=catalogue.wall,
            pictures=catalogue.pictures, sort_order=0,
        ),
        *(
            Tile(
                label=service.title, wall=service.wall, pictures=service.pictures,
                sort_order=order, **service.way(pages),
            )
            for order, service in enumerate(services(), 1)
        ),
    ]  # fmt: skip
    bread = pages["pain-et-paniers"].page_ptr
    home.week_notes = [
        WeekNote(
            day=wednesday, words="Avant mercredi soir", text="Commandez votre panier",
            page=bread, sort_order=0,
        ),
        WeekNote(day=friday, text="Retrait des paniers", page=bread, sort_order=1),
    ]  # fmt: skip


def make_menus(site: Site, pages: dict[str, Page]) -> None:
    navigation = Navigation.for_site(site)
    if navigation.menu_items.exists() or navigation.footer_items.exists():
        return
    navigation.menu_items = [
        MenuItem(label="Emprunter", target=Target.CATALOGUE, sort_order=0),
        *(
            MenuItem(label=service.menu, sort_order=order, **service.way(pages))
            for order, service in enumerate(services(), 1)
        ),
    ]
    footer = [
        ("Chercher", Target.SEARCH, ""),
        ("Nouvelles", "", "nouvelles"),
        ("Signaler un défaut d’accès", Target.DEFECT, ""),
        ("Schéma d’accessibilité", "", "schema-accessibilite"),
        ("Mentions légales", "", "mentions-legales"),
        ("Données personnelles", "", "donnees-personnelles"),
    ]
    navigation.footer_items = [
        FooterItem(
            label=label, target=target, sort_order=order,
            page=pages[slug].page_ptr if slug else None,
        )
        for order, (label, target, slug) in enumerate(footer)
    ]  # fmt: skip
    navigation.save()


def make_programme(home: HomePage) -> Page:
    """The programme of a place under its home; where a page of that name stands, beside it."""
    found = EventIndex.objects.filter(place=home.place_id).first()
    if found is not None:
        return found
    service = next(one for one in services() if one.slug == PROGRAMME)
    taken = home.get_children().filter(slug=PROGRAMME).exists()
    return add(
        home,
        EventIndex(
            title=service.title,
            slug="programme" if taken else PROGRAMME,
            place=home.place,
            lead=service.lead,
            body=service.body,
            search_description=service.lead,
        ),
    )


def make_pages(home: HomePage) -> dict[str, Page]:
    place = home.place
    pages: dict[str, Page] = {}
    for service in services():
        if service.slug == PROGRAMME:
            pages[service.slug] = make_programme(home)
            continue
        if service.target:
            continue
        pages[service.slug] = add(
            home,
            ServicePage(
                title=service.title, slug=service.slug, lead=service.lead, body=service.body,
                practical=service.practical, wall=service.wall, pictures=service.pictures,
                search_description=service.lead,
            ),
        )  # fmt: skip
    news = add(home, ArticleIndex(title="Nouvelles", slug="nouvelles"))
    pages["nouvelles"] = news
    add(
        news,
        Article(
            title=f"{place.name} vous ouvre ses portes",
            slug="bienvenue",
            lead="Venez voir les objets à emprunter et rencontrer l’équipe.",
            body=[
                text(
                    f"L’accueil se trouve au {place.address}, à {place.city}.",
                    "Poussez la porte, ou appelez-nous"
                    f"{NBSP}: {place.phone}. On vous fait visiter.",
                )
            ],
        ),
    )
    for slug, title, body in legal_pages(place):
        pages[slug] = add(home, StandardPage(title=title, slug=slug, body=body))
    pages["accessibilite"] = add(
        home,
        AccessibilityPage(
            title="Déclaration d’accessibilité",
            slug="accessibilite",
            contact_email=place.email,
            contact_phone=place.phone,
        ),
    )
    year = timezone.localdate().year
    scheme = AccessibilityScheme(
        title="Schéma pluriannuel d’accessibilité",
        slug="schema-accessibilite",
        first_year=year,
        last_year=year + 2,
        lead="Ce que nous faisons, année après année, pour que chacun puisse se servir du site.",
        body=[
            text(
                f"{place.landlord.name} suit l’accessibilité avec l’équipe de l’accueil.",
                "Tout ce qui se fait sur le site se fait aussi à l’accueil ou par téléphone.",
            )
        ],
    )
    scheme.actions = [
        SchemeAction(year=year, text="Faire un audit du site selon le RGAA 4.1.", sort_order=0),
        SchemeAction(
            year=year, text="Former l’équipe à écrire des pages faciles à lire.", sort_order=1
        ),
        SchemeAction(
            year=year + 1, text="Corriger ce que l’audit a trouvé, le plus gênant d’abord.",
            sort_order=2,
        ),
        SchemeAction(
            year=year + 1, text="Essayer le site avec des habitants et leurs aides techniques.",
            sort_order=3,
        ),
        SchemeAction(
            year=year + 2, text="Faire vérifier les corrections et publier le résultat.",
            sort_order=4,
        ),
    ]  # fmt: skip
    pages["schema-accessibilite"] = add(home, scheme)
    return pages


CATALOGUE = Service(
    slug="", title="Emprunter", menu="Emprunter", wall=Wall.BUTTER,
    pictures="perceuse gaufrier", lead="", practical="",
)  # fmt: skip


@transaction.atomic
def build_site(place: Place) -> HomePage:
    """The page tree of a place. Run again, it adds what lacks and changes nothing else.

    The first place of a landlord opens its site; a second one has its own home under
    it, and shares the other pages.
    """
    site = site_of(place)
    existing = HomePage.objects.filter(place=place).first()
    if existing is not None:
        home = existing
    else:
        home = make_home(place, site.root_page if site else root_page())
    if site is None:
        site = open_site(home)
    main: HomePage = site.root_page.specific
    pages = make_pages(main)
    make_menus(site, pages)
    if home != main:
        pages[PROGRAMME] = make_programme(home)
    if existing is None:
        home.refresh_from_db()
        furnish_home(home, pages, CATALOGUE)
        home.save_revision().publish()
    sync()
    for assignment in place.assignments.select_related("user"):
        sync_user(assignment.user)
    return home
