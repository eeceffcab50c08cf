"""The site's own pages, its menus and its banner."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    PageChooserPanel,
)
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting
from wagtail.fields import RichTextField
from wagtail.models import Orderable, Page
from wagtail.search import index

from club.context import member_of
from club.models import Place
from cms.enums import AlertLevel, Conformity, Target
from content.blocks import FEATURES
from content.enums import Wall
from content.models import BasePage

ARTICLES_A_PAGE = 12
NEWS_ON_HOME = 3


class Link(Orderable):
    """A label and where it leads: a page of the tree, or a screen that is none."""

    label = models.CharField(_("mots"), max_length=60)
    page = models.ForeignKey(
        Page, models.CASCADE, null=True, blank=True, verbose_name=_("page"), related_name="+"
    )
    target = models.CharField(_("ou écran"), max_length=40, choices=Target.choices, blank=True)

    panels = [
        FieldPanel("label"),
        FieldRowPanel([PageChooserPanel("page"), FieldPanel("target")]),
    ]

    class Meta(Orderable.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        if bool(self.page_id) == bool(self.target):
            raise ValidationError({"target": _("Choisissez une page ou un écran, un seul.")})

    def href(self, request: HttpRequest | None = None) -> str:
        """The address, empty where the page is not published: such a link is not shown."""
        if self.target:
            return reverse(self.target)
        return (self.page.get_url(request) or "") if self.page and self.page.live else ""


class HomePage(BasePage):
    """The home of a place: its promise, its six windows, its news and its week."""

    body = None  # type: ignore[assignment]
    place = models.OneToOneField(
        Place, models.PROTECT, verbose_name=_("point d’accueil"), related_name="home_page"
    )
    promise = models.CharField(_("promesse"), max_length=120)
    price_line = RichTextField(_("prix"), features=["bold"], blank=True)

    parent_page_types = ["wagtailcore.Page", "cms.HomePage"]
    content_panels = [
        *Page.content_panels,
        FieldPanel("place"),
        MultiFieldPanel(
            [
                FieldPanel("promise"),
                FieldPanel("lead"),
                InlinePanel("buttons", label=_("Bouton"), heading=_("Deux boutons"), max_num=2),
                FieldPanel("price_line"),
            ],
            heading=_("En haut"),
        ),
        InlinePanel("tiles", label=_("Fenêtre"), heading=_("Les six fenêtres"), max_num=6),
        InlinePanel("week_notes", label=_("Ligne"), heading=_("Cette semaine")),
    ]
    search_fields = [*Page.search_fields, index.SearchField("promise"), index.SearchField("lead")]

    class Meta:
        verbose_name = _("accueil d’un point d’accueil")

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Its own place stands above it, except for members, who keep theirs."""
        if member_of(request) is None:
            request._place = Place.objects.select_related("landlord").get(  # type: ignore[attr-defined]
                pk=self.place_id
            )
        return super().serve(request, *args, **kwargs)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        from cms.furnishing import furnishing_of, week_of

        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        context["furnishing"] = furnishing_of(self, request)
        context["week"] = week_of(self, request, timezone.now())
        return context


class HomeButton(Link):
    home = ParentalKey(HomePage, on_delete=models.CASCADE, related_name="buttons")

    class Meta(Link.Meta):
        verbose_name = _("bouton")


class Tile(Link):
    """A lit window: a wall, one or two drawings on its sill, a verb below."""

    home = ParentalKey(HomePage, on_delete=models.CASCADE, related_name="tiles")
    wall = models.CharField(_("mur"), max_length=8, choices=Wall.choices)
    pictures = models.CharField(
        _("dessins"),
        max_length=80,
        help_text=_("Un ou deux noms, par exemple : perceuse gaufrier."),
    )

    panels = [*Link.panels, FieldRowPanel([FieldPanel("wall"), FieldPanel("pictures")])]

    class Meta(Link.Meta):
        verbose_name = _("fenêtre")


class WeekNote(Orderable):
    """A line of "Cette semaine"; it goes by itself once its day is over."""

    home = ParentalKey(HomePage, on_delete=models.CASCADE, related_name="week_notes")
    day = models.DateField(_("jour"))
    hour = models.TimeField(_("heure"), null=True, blank=True)
    words = models.CharField(
        _("ou en mots"),
        max_length=60,
        blank=True,
        help_text=_("À la place de la date, par exemple : Avant mercredi soir."),
    )
    text = models.CharField(_("quoi"), max_length=120)
    page = models.ForeignKey(
        Page, models.SET_NULL, null=True, blank=True, verbose_name=_("page"), related_name="+"
    )

    panels = [
        FieldRowPanel([FieldPanel("day"), FieldPanel("hour")]),
        FieldPanel("words"),
        FieldPanel("text"),
        PageChooserPanel("page"),
    ]

    class Meta(Orderable.Meta):
        verbose_name = _("ligne de la semaine")

    def __str__(self) -> str:
        return self.text


class ArticleIndex(BasePage):
    """The news of a place, newest first."""

    parent_page_types = ["cms.HomePage"]
    subpage_types = ["cms.Article"]

    class Meta:
        verbose_name = _("actualités")

    def articles(self) -> models.QuerySet["Article"]:
        return (
            Article.objects.child_of(self).live().select_related("picture")
            .order_by("-published_on", "-pk")
        )  # fmt: skip

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        pages = Paginator(self.articles(), ARTICLES_A_PAGE)
        context["articles"] = pages.get_page(request.GET.get("page"))
        return context


class Article(BasePage):
    published_on = models.DateField(_("date"), default=timezone.localdate)
    picture = models.ForeignKey(
        "content.Picture",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("photo"),
        related_name="+",
    )

    parent_page_types = ["cms.ArticleIndex"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldPanel("published_on"),
        FieldPanel("lead"),
        FieldPanel("picture"),
        FieldPanel("body"),
    ]

    class Meta:
        verbose_name = _("article")


class ServicePage(BasePage):
    """What the concierge does for people, and how to ask: call, or come by."""

    wall = models.CharField(_("mur"), max_length=8, choices=Wall.choices, default=Wall.WATER)
    pictures = models.CharField(_("dessins"), max_length=80, blank=True)
    practical = RichTextField(_("infos pratiques"), features=FEATURES, blank=True)
    offers_call = models.BooleanField(_("montrer « Appeler l’accueil »"), default=True)

    parent_page_types = ["cms.HomePage"]
    subpage_types: list[str] = []
    content_panels = [
        *BasePage.content_panels,
        FieldPanel("practical"),
        FieldPanel("offers_call"),
        FieldRowPanel([FieldPanel("wall"), FieldPanel("pictures")]),
    ]
    search_fields = [*BasePage.search_fields, index.SearchField("practical")]

    class Meta:
        verbose_name = _("service")


class StandardPage(BasePage):
    """A page of text: legal notice, personal data, rules."""

    parent_page_types = ["cms.HomePage"]

    class Meta:
        verbose_name = _("page de texte")


class AccessibilityPage(BasePage):
    """The declaration that the law asks for; the footer's words come from its state."""

    state = models.CharField(
        _("état"), max_length=8, choices=Conformity.choices, default=Conformity.NONE
    )
    criteria_percent = models.DecimalField(
        _("critères respectés, en %"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    audited_on = models.DateField(_("date de l’audit"), null=True, blank=True)
    auditor = models.CharField(_("audit fait par"), max_length=160, blank=True)
    established_on = models.DateField(_("déclaration établie le"), default=timezone.localdate)
    not_accessible = RichTextField(_("contenus non accessibles"), features=FEATURES, blank=True)
    burden = RichTextField(
        _("dérogations pour charge disproportionnée"), features=FEATURES, blank=True
    )
    exemptions = RichTextField(
        _("contenus non soumis à l’obligation"), features=FEATURES, blank=True
    )
    contact_email = models.EmailField(_("e-mail de contact"))
    contact_phone = models.CharField(_("téléphone de contact"), max_length=20, blank=True)

    parent_page_types = ["cms.HomePage"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldPanel("established_on"),
        MultiFieldPanel(
            [
                FieldPanel("state"),
                FieldRowPanel([FieldPanel("criteria_percent"), FieldPanel("audited_on")]),
                FieldPanel("auditor"),
            ],
            heading=_("Conformité"),
        ),
        FieldPanel("not_accessible"),
        FieldPanel("burden"),
        FieldPanel("exemptions"),
        FieldRowPanel([FieldPanel("contact_email"), FieldPanel("contact_phone")]),
        FieldPanel("body"),
    ]

    class Meta:
        verbose_name = _("déclaration d’accessibilité")

    def clean(self) -> None:
        """Nothing is called conforming that no audit has found so."""
        super().clean()
        faults: dict[str, Any] = {}
        if self.state != Conformity.NONE:
            for name in ("criteria_percent", "audited_on", "auditor"):
                if not getattr(self, name):
                    faults[name] = _("Il faut un audit pour changer l’état.")
        if not faults and self.state == Conformity.FULL and self.criteria_percent != 100:
            faults["state"] = _("Totalement conforme veut dire 100 % des critères.")
        if (
            not faults
            and self.state == Conformity.PARTIAL
            and not 50 <= (self.criteria_percent or 0) < 100
        ):
            faults["state"] = _("Partiellement conforme veut dire de 50 à 99 % des critères.")
        if faults:
            raise ValidationError(faults)

    def footer_words(self) -> Any:
        """In the language of the moment they are shown, because the footer is kept."""
        return format_lazy(_("Accessibilité : {state}"), state=Conformity(self.state).label)


class AccessibilityScheme(BasePage):
    """What will be done for accessibility, year after year: three years at most."""

    first_year = models.PositiveSmallIntegerField(_("première année"))
    last_year = models.PositiveSmallIntegerField(_("dernière année"))

    parent_page_types = ["cms.HomePage"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldRowPanel([FieldPanel("first_year"), FieldPanel("last_year")]),
        FieldPanel("lead"),
        FieldPanel("body"),
        InlinePanel("actions", label=_("Action"), heading=_("Actions, par année")),
    ]

    class Meta:
        verbose_name = _("schéma pluriannuel d’accessibilité")

    def clean(self) -> None:
        super().clean()
        first, last = self.first_year, self.last_year
        if first and last and not first <= last <= first + 2:
            raise ValidationError({"last_year": _("Le schéma couvre trois ans au plus.")})

    def by_year(self) -> dict[int, list["SchemeAction"]]:
        years: dict[int, list[SchemeAction]] = {}
        for action in self.actions.all():
            years.setdefault(action.year, []).append(action)
        return dict(sorted(years.items()))


class SchemeAction(Orderable):
    scheme = ParentalKey(AccessibilityScheme, on_delete=models.CASCADE, related_name="actions")
    year = models.PositiveSmallIntegerField(_("année"))
    text = models.CharField(_("action"), max_length=200)
    is_done = models.BooleanField(_("fait"), default=False)

    class Meta(Orderable.Meta):
        verbose_name = _("action du schéma")

    def __str__(self) -> str:
        return f"{self.year} {self.text}"


@register_setting(icon="list-ul", order=100)
class Navigation(BaseSiteSetting, ClusterableModel):
    """A site's menus and its alert banner."""

    alert_text = models.CharField(
        _("alerte"), max_length=240, blank=True, help_text=_("Vide : aucun bandeau.")
    )
    alert_level = models.CharField(
        _("niveau"), max_length=6, choices=AlertLevel.choices, default=AlertLevel.INFORMATION
    )
    alert_starts_at = models.DateTimeField(_("à partir de"), null=True, blank=True)
    alert_ends_at = models.DateTimeField(_("jusqu’à"), null=True, blank=True)

    panels = [
        MultiFieldPanel(
            [
                FieldPanel("alert_text"),
                FieldPanel("alert_level"),
                FieldRowPanel([FieldPanel("alert_starts_at"), FieldPanel("alert_ends_at")]),
            ],
            heading=_("Bandeau d’alerte"),
        ),
        InlinePanel("menu_items", label=_("Entrée"), heading=_("Menu principal"), max_num=6),
        InlinePanel("footer_items", label=_("Entrée"), heading=_("Menu du pied de page")),
    ]

    class Meta:
        verbose_name = _("menus et alerte")

    def clean(self) -> None:
        super().clean()
        starts, ends = self.alert_starts_at, self.alert_ends_at
        if starts and ends and ends <= starts:
            raise ValidationError({"alert_ends_at": _("La fin ne peut pas être avant le début.")})


class MenuItem(Link):
    navigation = ParentalKey(Navigation, on_delete=models.CASCADE, related_name="menu_items")

    class Meta(Link.Meta):
        verbose_name = _("entrée du menu")


class FooterItem(Link):
    navigation = ParentalKey(Navigation, on_delete=models.CASCADE, related_name="footer_items")

    class Meta(Link.Meta):
        verbose_name = _("entrée du pied de page")


class DefectReport(models.Model):
    """Somebody could not use something: what, where, and how to answer, if they wish."""

    place = models.ForeignKey(
        Place, models.CASCADE, verbose_name=_("point d’accueil"), related_name="defect_reports"
    )
    page = models.CharField(_("page"), max_length=300)
    what = models.TextField(_("ce qui s’est passé"), max_length=2000)
    email = models.EmailField(_("e-mail"), blank=True)
    reported_at = models.DateTimeField(_("signalé le"))
    answered_on = models.DateField(_("répondu le"), null=True, blank=True)

    class Meta:
        verbose_name = _("défaut d’accès")
        verbose_name_plural = _("défauts d’accès")
        ordering = ["-reported_at"]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.reported_at):%d/%m/%Y} {self.page}"
