"""The programme and its events as pages: written once, with as many dates as needed."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    TabbedInterface,
)
from wagtail.models import Orderable, Page
from wagtail.search import index

from club.enums import Weekday
from content.models import BasePage
from events.enums import (
    THEME_LOOK,
    WITH_CHILDREN,
    AnswerKind,
    Audience,
    Entry,
    Frequency,
    Holidays,
    Theme,
)
from events.models.sessions import Terms, public_id


class WeekdaysField(models.JSONField):
    """A list of weekdays, 0 for Monday, ticked in a form."""

    def formfield(self, **kwargs: Any) -> Any:
        return forms.TypedMultipleChoiceField(
            coerce=int,
            choices=Weekday.choices,
            widget=forms.CheckboxSelectMultiple,
            required=False,
            empty_value=[],
            label=self.verbose_name,
            help_text=self.help_text,
        )


class EventIndex(BasePage):
    """The programme of a place: what is on, by date."""

    place = models.OneToOneField(
        "club.Place",
        models.PROTECT,
        verbose_name=_("point d’accueil"),
        related_name="programme",
        help_text=_("Les nouvelles séances s’y tiennent, sauf autre choix."),
    )

    parent_page_types = ["cms.HomePage"]
    subpage_types = ["events.EventPage"]
    content_panels = [*Page.content_panels, FieldPanel("place"), FieldPanel("lead")]

    class Meta:
        verbose_name = _("programme des événements")


class EventPage(BasePage, Terms):
    """An event: what it is, for whom, on which terms; its dates are sessions."""

    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    theme = models.CharField(_("rayon"), max_length=6, choices=Theme.choices, default=Theme.MEET)
    picture = models.ForeignKey(
        "content.Picture",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("photo"),
        related_name="+",
    )
    drawing = models.CharField(
        _("dessin"),
        max_length=40,
        blank=True,
        help_text=_("Sans photo. Par exemple : tools/machine-a-coudre. Vide : celui du rayon."),
    )
    audience = models.CharField(
        _("public"), max_length=8, choices=Audience.choices, default=Audience.ALL
    )
    age_min = models.PositiveSmallIntegerField(
        _("à partir de, en années"), null=True, blank=True, validators=[MaxValueValidator(120)]
    )
    age_max = models.PositiveSmallIntegerField(
        _("jusqu’à, en années"), null=True, blank=True, validators=[MaxValueValidator(120)]
    )
    step_free = models.BooleanField(_("de plain-pied"), default=False)
    for_hearing = models.BooleanField(_("adapté aux personnes sourdes"), default=False)
    for_sight = models.BooleanField(_("adapté aux personnes aveugles"), default=False)
    for_understanding = models.BooleanField(_("facile à comprendre"), default=False)
    bring = models.CharField(
        _("à apporter"),
        max_length=160,
        blank=True,
        help_text=_("Une phrase. Par exemple : Apportez un tablier."),
    )
    price_text = models.CharField(
        _("le prix en mots"),
        max_length=120,
        blank=True,
        help_text=_("Vide : dit d’après les prix ci-dessous."),
    )
    organiser = models.CharField(_("organisé par"), max_length=120, blank=True)
    partner = models.CharField(_("avec"), max_length=120, blank=True)
    entry = models.CharField(_("entrée"), max_length=9, choices=Entry.choices, default=Entry.LISTED)
    entry_url = models.URLField(_("adresse pour s’inscrire ailleurs"), blank=True, max_length=400)
    is_training = models.BooleanField(_("formation, avec attestation de présence"), default=False)
    asks_names = models.BooleanField(_("demander le nom de chaque personne"), default=False)
    asks_ages = models.BooleanField(_("demander l’âge des enfants"), default=False)
    opens_days = models.PositiveSmallIntegerField(
        _("inscription dès, en jours avant"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(366)],
        help_text=_("Vide : tout de suite."),
    )
    members_first_days = models.PositiveSmallIntegerField(
        _("avance des abonnés, en jours"), default=0, validators=[MaxValueValidator(60)]
    )
    closes_minutes = models.PositiveIntegerField(
        _("inscription jusqu’à, en minutes avant le début"),
        default=60,
        validators=[MaxValueValidator(30 * 24 * 60)],
    )
    source = models.CharField(max_length=120, blank=True, editable=False)
    review = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text="Why somebody has to read it before it is shown: codes of the import.",
    )

    exclude_fields_in_copy = ["public_id", "source", "review"]
    parent_page_types = ["events.EventIndex"]
    subpage_types: list[str] = []
    search_fields = [
        *BasePage.search_fields,
        index.SearchField("organiser"),
        index.SearchField("partner"),
        index.FilterField("theme"),
    ]
    content_panels = [
        *Page.content_panels,
        FieldPanel("lead"),
        FieldRowPanel([FieldPanel("theme"), FieldPanel("audience")]),
        FieldRowPanel([FieldPanel("age_min"), FieldPanel("age_max")]),
        MultiFieldPanel(
            [
                FieldPanel("step_free"),
                FieldPanel("for_hearing"),
                FieldPanel("for_sight"),
                FieldPanel("for_understanding"),
            ],
            heading=_("Accessibilité"),
        ),
        FieldPanel("bring"),
        FieldPanel("picture"),
        FieldPanel("drawing"),
        FieldRowPanel([FieldPanel("organiser"), FieldPanel("partner")]),
        FieldPanel("body"),
    ]
    date_panels = [
        InlinePanel(
            "schedules",
            label=_("Quand"),
            heading=_("Quand et où"),
            help_text=_(
                "Publier crée les séances. Une séance qui a des inscrits ne disparaît jamais"
                " toute seule : déplacez-la ou annulez-la depuis la liste des séances."
            ),
        ),
    ]
    terms_panels = [
        MultiFieldPanel(
            [FieldPanel("entry"), FieldPanel("entry_url"), FieldPanel("capacity")],
            heading=_("Entrée"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("price_cents"), FieldPanel("member_price_cents")]),
                FieldPanel("price_text"),
                FieldPanel("pay_first"),
                FieldPanel("cancel_hours"),
            ],
            heading=_("Prix"),
            help_text=_("Ces règles valent pour les nouvelles séances."),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("opens_days"), FieldPanel("closes_minutes")]),
                FieldRowPanel([FieldPanel("members_first_days"), FieldPanel("household_limit")]),
                FieldPanel("members_only"),
                FieldPanel("needs_approval"),
            ],
            heading=_("Inscription"),
        ),
        MultiFieldPanel(
            [FieldPanel("asks_names"), FieldPanel("asks_ages"), FieldPanel("is_training")],
            heading=_("Qui vient"),
        ),
        InlinePanel("questions", label=_("Question"), heading=_("Questions posées")),
    ]
    edit_handler = TabbedInterface(
        [
            ObjectList(content_panels, heading=_("L’événement")),
            ObjectList(date_panels, heading=_("Les dates")),
            ObjectList(terms_panels, heading=_("Places, prix, inscription")),
            ObjectList(Page.promote_panels, heading=_("Adresse de la page")),
        ]
    )

    class Meta:
        verbose_name = _("événement")
        verbose_name_plural = _("événements")
        constraints = [
            models.UniqueConstraint(
                fields=["source"],
                condition=~models.Q(source=""),
                name="events_event_source_once",
            )
        ]

    def clean(self) -> None:
        super().clean()
        faults: dict[str, Any] = {}
        if self.age_min is not None and self.age_max is not None and self.age_max < self.age_min:
            faults["age_max"] = _("L’âge le plus haut suit l’âge le plus bas.")
        if self.entry == Entry.ELSEWHERE and not self.entry_url:
            faults["entry_url"] = _("Écrivez l’adresse où l’on s’inscrit.")
        if faults:
            raise ValidationError(faults)

    def with_content_json(self, content: dict[str, Any]) -> "EventPage":
        """What an event is known by is not of its text: a copy keeps its own."""
        found: EventPage = super().with_content_json(content)
        found.public_id, found.source, found.review = self.public_id, self.source, self.review
        return found

    @property
    def wall(self) -> str:
        return THEME_LOOK[self.theme][0]

    @property
    def drawn(self) -> str:
        """The drawing, by its name under `img/`."""
        return self.drawing or THEME_LOOK[self.theme][1]

    @property
    def welcomes_children(self) -> bool:
        young = self.age_min is None or self.age_min < 12
        return self.audience in WITH_CHILDREN and young


class Schedule(Orderable):
    """When and where an event takes place: one date, or a rule that makes many.

    Days and hours are those of the wall clock, so that no clock change moves a session.
    """

    event = ParentalKey(EventPage, on_delete=models.CASCADE, related_name="schedules")
    place = models.ForeignKey(
        "club.Place",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("point d’accueil"),
        related_name="+",
        help_text=_("Vide : celui du programme."),
    )
    room = models.CharField(
        _("salle"), max_length=120, blank=True, help_text=_("Vide : à l’accueil.")
    )
    address = models.CharField(
        _("adresse"), max_length=250, blank=True, help_text=_("Si c’est ailleurs qu’à l’accueil.")
    )
    starts_on = models.DateField(_("premier jour"))
    starts = models.TimeField(_("de"))
    ends = models.TimeField(
        _("à"), help_text=_("Avant l’heure de début : la séance finit le lendemain.")
    )
    frequency = models.CharField(
        _("revient"), max_length=11, choices=Frequency.choices, default=Frequency.ONCE
    )
    weekdays = WeekdaysField(
        _("jours de la semaine"),
        default=list,
        blank=True,
        help_text=_("Aucun : le jour de la première date."),
    )
    until = models.DateField(
        _("jusqu’au"),
        null=True,
        blank=True,
        help_text=_("Vide : sans fin. Les séances sont créées un an à l’avance."),
    )
    holidays = models.CharField(
        _("vacances"), max_length=4, choices=Holidays.choices, default=Holidays.ANY
    )
    on_public_holidays = models.BooleanField(_("aussi les jours fériés"), default=False)
    when_closed = models.BooleanField(_("aussi quand l’accueil est fermé"), default=True)
    except_on = models.TextField(
        _("sauf le"),
        blank=True,
        help_text=_("Une date par ligne ou par virgule, par exemple 24/12/2026."),
    )

    class Meta(Orderable.Meta):
        verbose_name = _("date ou règle")

    def __str__(self) -> str:
        return f"{self.starts_on:%d/%m/%Y}, {self.get_frequency_display()}"

    @property
    def length(self) -> timedelta:
        """By the wall clock; past midnight where the end comes before the start."""
        starts = timedelta(hours=self.starts.hour, minutes=self.starts.minute)
        ends = timedelta(hours=self.ends.hour, minutes=self.ends.minute)
        return ends - starts if ends > starts else ends - starts + timedelta(days=1)

    def last_day(self) -> date | None:
        return self.starts_on if self.frequency == Frequency.ONCE else self.until


class Question(Orderable):
    """What else is asked of whoever registers, with answers to choose from."""

    event = ParentalKey(EventPage, on_delete=models.CASCADE, related_name="questions")
    text = models.CharField(_("question"), max_length=120)
    kind = models.CharField(
        _("réponse"), max_length=8, choices=AnswerKind.choices, default=AnswerKind.YES_NO
    )
    choices = models.TextField(_("choix"), blank=True, help_text=_("Un par ligne."))
    required = models.BooleanField(_("réponse obligatoire"), default=True)

    class Meta(Orderable.Meta):
        verbose_name = _("question")

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        super().clean()
        if self.kind == AnswerKind.CHOICE and len(self.options) < 2:
            raise ValidationError({"choices": _("Écrivez au moins deux choix, un par ligne.")})

    @property
    def options(self) -> list[str]:
        lines = [line.strip() for line in self.choices.splitlines()]
        return [line[:80] for line in dict.fromkeys(lines) if line]
