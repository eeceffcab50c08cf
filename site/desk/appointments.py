"""The pages of appointments: the day, who came, a slot for a person, what is counted."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.forms import add_refusal
from club.kernel import codes, words
from club.kernel.bookings import Channel
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member
from concierge.domain.appointment_fees import price_of
from concierge.domain.appointments import (
    MOST_SERVED,
    MOST_WEEKS,
    book_once,
    book_series,
    book_slot,
    cancel_appointment,
    mark_absent,
    mark_done,
    unmark,
)
from concierge.domain.counter import count_use, undo_use
from concierge.enums import AppointmentStatus, ServiceKind, ServiceUnit
from concierge.forms import AppointmentForm
from concierge.models import Appointment, CounterUse, Service
from concierge.queries.appointments import ahead, months_of, of_day, outside
from concierge.queries.services import WITH_NAMES, offered_at
from concierge.queries.slots import diary_ahead
from concierge.views import shown_services as shown
from desk.access import staff
from desk.screen import member_url
from desk.views import result_said, said, served

DAYS = 8
BY_THE_PIECE = {ServiceUnit.PAGE, ServiceUnit.KILO}
MARKED = (AppointmentStatus.DONE, AppointmentStatus.ABSENT)


def appointment_here(request: StaffRequest, reference: str) -> Appointment:
    return get_object_or_404(
        Appointment.objects.select_related(*WITH_NAMES),
        reference=reference,
        place=request.place,
    )


# -- The day, and one appointment ----------------------------------------------------------------


@staff
@never_cache
@require_GET
def appointments(request: StaffRequest) -> HttpResponse:
    """Today with what became of each, then the days to come."""
    now = timezone.now()
    today = local_day(now)
    coming = list(ahead(request.place, now))
    stray = {one.pk for one in outside(coming, request.place)}
    days: dict[date, list[tuple[Appointment, bool]]] = {}
    for one in coming:
        day = local_day(one.starts_at)
        if day > today:
            days.setdefault(day, []).append((one, one.pk in stray))
    context = {
        "today": [(one, one.pk in stray) for one in of_day(request.place, today)],
        "days": days,
        "counter": offered_at(request.place).filter(kind=ServiceKind.COUNTER).exists(),
    }
    return render(request, "desk/appointments.html", context)


@staff
@never_cache
@require_GET
def figures(request: StaffRequest) -> HttpResponse:
    """A year by month and service, for the landlord's report."""
    since = timezone.now() - relativedelta(months=12)
    context = {"months": months_of(request.place, since)}
    return render(request, "desk/appointments_figures.html", context)


class DoneForm(forms.Form):
    """How many pages or kilos it was; of the rest nothing is asked."""

    quantity = forms.IntegerField(
        label=gettext_lazy("Combien"),
        min_value=1,
        max_value=MOST_SERVED,
        initial=1,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            key: gettext_lazy("Écrivez un nombre de 1 à 500.")
            for key in ("invalid", "min_value", "max_value")
        },
    )


@staff
@never_cache
@require_GET
def appointment(request: StaffRequest, reference: str) -> HttpResponse:
    return appointment_page(request, appointment_here(request, reference))


def appointment_page(
    request: StaffRequest, one: Appointment, form: DoneForm | None = None
) -> HttpResponse:
    now = timezone.now()
    is_booked = one.status == AppointmentStatus.BOOKED
    context = {
        "appointment": one,
        "answers": one.answers.order_by("pk"),
        "day": words.day(local_day(one.starts_at), local_day(now)),
        "hours": words.span(one.starts_at, one.ends_at),
        "is_outside": bool(outside([one], request.place)) and is_booked,
        "is_today": local_day(one.starts_at) <= local_day(now),
        "has_begun": one.starts_at <= now,
        "is_over": one.ends_at <= now,
        "is_marked": one.status in MARKED,
        "by_piece": one.service.unit in BY_THE_PIECE and one.unit_cents > 0,
        "price": words.money(price_of(one)) if one.unit_cents else "",
        "form": form or DoneForm(),
        "result": result_said(request),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "desk/appointment.html", context, status=status)


def done(one: Appointment, form: DoneForm, request: StaffRequest, now: datetime) -> Appointment:
    return mark_done(one, form.cleaned_data["quantity"] or 1, by=request.user, now=now)


def absent(one: Appointment, form: DoneForm, request: StaffRequest, now: datetime) -> Appointment:
    return mark_absent(one, by=request.user, now=now)


def undo(one: Appointment, form: DoneForm, request: StaffRequest, now: datetime) -> Appointment:
    return unmark(one, by=request.user, now=now)


def cancel(one: Appointment, form: DoneForm, request: StaffRequest, now: datetime) -> Appointment:
    return cancel_appointment(one, by=request.user, now=now, channel=Channel.DESK)


ACTS: dict[str, tuple[Callable[..., Appointment], Any]] = {
    "venu": (done, gettext_lazy("Venu.")),
    "absent": (absent, gettext_lazy("Noté absent.")),
    "defaire": (undo, gettext_lazy("Défait.")),
    "annuler": (cancel, gettext_lazy("Annulé.")),
}
"""What one press does with an appointment, by the word in the address."""


@staff
@never_cache
@require_POST
def act(request: StaffRequest, reference: str, name: str) -> HttpResponse:
    one = appointment_here(request, reference)
    if name not in ACTS:
        raise Http404
    verb, word = ACTS[name]
    form = DoneForm(request.POST)
    if not form.is_valid():
        return appointment_page(request, one, form)
    url = reverse("desk:appointment", args=[one.reference])
    try:
        changed = verb(one, form, request, timezone.now())
    except Refused as refusal:
        text = " ".join(str(reason.text) for reason in refusal.reasons)
        return said(url, "refused", _("Refusé."), text)
    return said(url, "done" if name == "venu" else "returned", str(word), told(changed))


def told(one: Appointment) -> str:
    text = f"{one.member}, {one.service.name}."
    if one.status == AppointmentStatus.DONE and one.unit_cents:
        due = _("%(price)s à encaisser.") % {"price": words.money(price_of(one))}
        return f"{text} {due}"
    return text


# -- A slot for a person ----------------------------------------------------------------


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: StaffRequest, pk: int) -> HttpResponse:
    """The service, then the day, then the hour: three presses."""
    member, now = served(request, str(pk)), timezone.now()
    found = list(offered_at(request.place).filter(kind=ServiceKind.SLOT))
    chosen = (request.POST or request.GET).get("service", "")
    service = next((one for one in found if one.public_id == chosen), None)
    if chosen and service is None:
        raise Http404
    if service is None:
        context = {"person": member, "services": found}
        return render(request, "desk/appointment_service.html", context)
    service.place = request.place
    return book_service(request, member, service, now)


def book_service(
    request: StaffRequest, member: Member, service: Service, now: datetime
) -> HttpResponse:
    diary = diary_ahead(service, now)
    weeks = min(MOST_WEEKS, service.horizon_days // 7 + 1)
    form = AppointmentForm(request.POST or None, rules=diary.rules, weeks=weeks, is_staff=True)
    if request.method == "POST" and form.is_valid():
        try:
            key = form.cleaned_data["key"]
            skipped: list[datetime] = []
            made = book_once(
                form_key=key,
                member=member,
                make=lambda: booked(request, member, service, form, now, skipped),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            return said(member_url(member.pk), "done", _("Réservé."), booked_words(made, skipped))
    day = day_of(form.data.get("slot", "")[:10] or request.GET.get("jour", ""))
    slots = list(diary.bookable(now, at_desk=True))
    day = day or (slots[0].day if slots else None)
    context = {
        "person": member,
        "service": service,
        "day": words.day(day, local_day(now)) if day else "",
        "hours": shown.hour_buttons(slot for slot in slots if slot.day == day),
        "days": [
            button
            for button in shown.day_buttons(slots, now, DAYS + 1)
            if day is None or button.value != day.isoformat()
        ],
        "form": form,
        "key": codes.token(),
    }
    status = 422 if form.errors else 200
    return render(request, "desk/appointment_book.html", context, status=status)


def day_of(text: str) -> date | None:
    try:
        return parse_date(text) if len(text) == 10 else None
    except ValueError:
        return None


def booked(
    request: StaffRequest,
    member: Member,
    service: Service,
    form: AppointmentForm,
    now: datetime,
    skipped: list[datetime],
) -> Appointment:
    data = form.cleaned_data
    asked: dict[str, Any] = {
        "member": member,
        "service": service,
        "starts_at": data["slot"].starts_at,
        "answers": form.answers(),
        "by": request.user,
        "now": now,
        "channel": Channel.DESK,
    }
    if not data["semaines"]:
        return book_slot(**asked)
    series = book_series(**asked, weeks=data["semaines"])
    skipped.extend(series.skipped)
    return series.made[0]


def booked_words(made: Appointment, skipped: list[datetime]) -> str:
    facts = {"service": made.service.name, "moment": words.moment(made.starts_at)}
    text = _("%(service)s, %(moment)s.") % facts
    if not skipped:
        return text
    days = {"days": ", ".join(words.day(local_day(date)) for date in skipped)}
    return f"{text} {_('Sauté, car pris : %(days)s.') % days}"


# -- Over the counter ----------------------------------------------------------------


class CountForm(forms.Form):
    """The press of a service, with how many."""

    service = forms.SlugField(
        max_length=12, error_messages={"required": gettext_lazy("Choisissez le service.")}
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("Combien"),
        min_value=1,
        max_value=MOST_SERVED,
        initial=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            key: gettext_lazy("Écrivez un nombre de 1 à 500.")
            for key in ("required", "invalid", "min_value", "max_value")
        },
    )
    key = forms.CharField(
        min_length=20,
        max_length=43,
        widget=forms.HiddenInput,
        error_messages={
            code: gettext_lazy("Cette page a vieilli. Comptez à nouveau.")
            for code in ("required", "min_length", "max_length")
        },
    )


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def count(request: StaffRequest) -> HttpResponse:
    """How many, which: counted. What costs goes on to the till."""
    wanted = request.POST.get("membre") or request.GET.get("membre", "")
    member = served(request, wanted) if wanted else None
    found = list(offered_at(request.place).filter(kind=ServiceKind.COUNTER))
    form = CountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        service = next((one for one in found if one.public_id == data["service"]), None)
        if service is None:
            raise Http404
        service.place = request.place
        try:
            use = count_use(
                service,
                data["quantity"],
                member=member,
                by=request.user,
                now=timezone.now(),
                form_key=data["key"],
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return counted(use, member)
    context = {
        "person": member,
        "services": [(one, shown.price_words(one)) for one in found],
        "form": form,
        "key": codes.token(),
        "result": result_said(request),
        "last": last_use(request),
    }
    status = 422 if form.errors else 200
    return render(request, "desk/count.html", context, status=status)


def counted(use: CounterUse, member: Member | None) -> HttpResponse:
    text = f"{use.service.name} × {use.quantity}."
    if member is not None and use.unit_cents:
        price = {"price": words.money(use.unit_cents * use.quantity)}
        due = _("%(price)s à encaisser.") % price
        text = f"{text} {due}"
    query = {"fait": use.pk} | ({"membre": member.pk} if member else {})
    return said(f"{reverse('desk:count')}?{urlencode(query)}", "done", _("Compté."), text)


def last_use(request: StaffRequest) -> CounterUse | None:
    """What has just been counted here, to undo it."""
    text = request.GET.get("fait", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    rows = CounterUse.objects.filter(pk=int(text), place=request.place, undone_at=None)
    return rows.select_related("service").first()


@staff
@never_cache
@require_POST
def count_undo(request: StaffRequest, pk: int) -> HttpResponse:
    use = get_object_or_404(CounterUse, pk=pk, place=request.place)
    url = reverse("desk:count")
    if use.member_id:
        url = f"{url}?membre={use.member_id}"
    try:
        undo_use(use, by=request.user, now=timezone.now())
    except Refused as refusal:
        text = " ".join(str(reason.text) for reason in refusal.reasons)
        return said(url, "refused", _("Refusé."), text)
    return said(url, "returned", _("Défait."), _("Ce n’est plus compté."))
