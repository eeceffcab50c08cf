"""The screens of signing in, for residents and for staff."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_password_login, record_authentication
from allauth.account.internal.flows.logout import logout
from allauth.account.models import Login
from allauth.account.stages import LoginByCodeStage
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import ConfirmLoginCodeView
from allauth.core.exceptions import RateLimited
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic.edit import FormView

from club.access import has_second_factor, methods_of, way_in
from club.accounts import ContactProcess, EntryProcess, work_page
from club.forms import (
    CodeForm,
    ContactForm,
    LoginForm,
    NameForm,
    SignupForm,
    StaffLoginForm,
    add_refusal,
)
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from club.models import User
from club.queries.team import is_team


def onward(request: HttpRequest, name: str) -> HttpResponse:
    """Go to a page of the flow, keeping where the person wanted to go."""
    target = get_next_redirect_url(request)
    query = f"?{urlencode({'next': target})}" if target else ""
    return redirect(reverse(name) + query)


def sent(form: BaseForm, field: str | None, send: Callable[[], Any]) -> bool:
    """Send a code; where it could not leave, say so in the form."""
    try:
        send()
    except RateLimited:
        form.add_error(field, str(get_adapter().error_messages["rate_limited"]))
    except OSError:
        form.add_error(field, _("Le code n’est pas parti. Réessayez dans un instant."))
    return not form.errors


def demo_code(code: str) -> str:
    """In the demonstration alone, the code is shown on the page."""
    return code if settings.DEMO else ""


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class EntryView(FormView):
    """Ask for an address and send a code there: the same for everybody."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect(
                get_next_redirect_url(request)
                or get_adapter(request).get_login_redirect_url(request)
            )
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: BaseForm) -> HttpResponse:
        data = dict(form.cleaned_data)
        address = data.pop("contact").as_words()
        if not sent(form, "contact", lambda: EntryProcess.start(self.request, **address, **data)):
            return self.form_invalid(form)
        return onward(self.request, "account_confirm_login_code")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        target = get_next_redirect_url(self.request) or ""
        return super().get_context_data(next_url=target, **kwargs)


class LoginView(EntryView):
    template_name = "account/login.html"
    form_class = LoginForm


class SignupView(EntryView):
    template_name = "account/signup.html"
    form_class = SignupForm


code_stage = login_stage_required(stage=LoginByCodeStage.key, redirect_urlname="account_login")


@method_decorator([sensitive_post_parameters(), code_stage], name="dispatch")
class ConfirmCodeView(ConfirmLoginCodeView):
    """The code that came: five tries, fifteen minutes."""

    template_name = "account/code.html"
    form_class = CodeForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.stage = request._login_stage  # type: ignore[attr-defined]
        process = EntryProcess.resume(self.stage)
        if process is None:
            messages.warning(request, _("Ce code n’est plus valable. Demandez-en un autre."))
            return onward(request, "account_login")
        self._process: EntryProcess = process
        if process.state.get("proved"):
            return onward(request, "account_name")
        return FormView.dispatch(self, request, *args, **kwargs)

    def _verify_form_valid(self, form: BaseForm) -> HttpResponse:
        try:
            return super()._verify_form_valid(form)
        except Refused as refusal:
            add_refusal(form, refusal)
            return FormView.form_invalid(self, form)

    def _resend_form_valid(self, form: BaseForm) -> HttpResponse:
        if not sent(form, None, self._process.resend):
            for error in form.non_field_errors():
                messages.error(self.request, str(error))
        else:
            messages.success(self.request, _("Un nouveau code est parti."))
        return onward(self.request, "account_confirm_login_code")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        address = self._process.address
        context["recipient"] = address["email"] or spoken_phone(address["phone"])
        context["by_phone"] = bool(address["phone"])
        context["demo_code"] = demo_code(self._process.code)
        context["next_url"] = get_next_redirect_url(self.request) or ""
        context["start_url"] = reverse("account_login")
        return context


@method_decorator(code_stage, name="dispatch")
class NameView(FormView):
    """The last question of a newcomer whose address is proved."""

    template_name = "account/name.html"
    form_class = NameForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        process = EntryProcess.resume(request._login_stage)  # type: ignore[attr-defined]
        if process is None or not process.state.get("proved"):
            return onward(request, "account_login")
        self.process = process
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: BaseForm) -> HttpResponse:
        self.process.state.update(form.cleaned_data)
        try:
            return self.process.finish(get_next_redirect_url(self.request))
        except Refused as refusal:
            add_refusal(form, refusal)
            return self.form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        target = get_next_redirect_url(self.request) or ""
        return super().get_context_data(next_url=target, **kwargs)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class StaffLoginView(FormView):
    """Password first, then the second factor, which is set up here the first time."""

    template_name = "account/staff_login.html"
    form_class = StaffLoginForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_team(request.user) and way_in(request) is None:
            return redirect(get_next_redirect_url(request) or work_page(request.user))  # type: ignore[arg-type]
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: StaffLoginForm) -> HttpResponse:
        if self.request.user.is_authenticated:
            logout(self.request)
        email = form.cleaned_data["email"].lower()
        target = get_next_redirect_url(self.request) or work_page(form.user)
        login = Login(user=form.user, redirect_url=target)
        response = perform_password_login(self.request, {"email": email}, login)
        if self.request.user.is_authenticated and not has_second_factor(form.user):
            return onward(self.request, "mfa_index")
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        target = get_next_redirect_url(self.request) or ""
        return super().get_context_data(next_url=target, **kwargs)


def proving_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Where staff prove once more who they are: their session knows the password."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not is_team(request.user):
            raise Http404
        if "password" not in methods_of(request):
            return redirect_to_login(request.get_full_path(), reverse("staff-login"))
        return view(request, *args, **kwargs)

    return wrapped


def team_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The pages of password and second factor: who has a second factor has used it."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user: User = request.user  # type: ignore[assignment]
        elsewhere = way_in(request) if has_second_factor(user) else None
        return elsewhere or view(request, *args, **kwargs)

    return proving_page(wrapped)


def proved_now(request: HttpRequest, kind: str) -> None:
    record_authentication(request, request.user, "mfa", type=kind, reauthenticated=True)


class SetUpAppView(ActivateTOTPView):
    """The first code of the app proves the second factor for this session too."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        proved_now(self.request, "totp")
        return response


class SetUpKeyView(AddWebAuthnView):
    """The key that was just made has proved itself for this session too."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        proved_now(self.request, "webauthn")
        return response


@never_cache
def contact(request: HttpRequest) -> HttpResponse:
    """How one is reached, and a new e-mail or phone."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["contact"].as_words()
        if sent(form, "contact", lambda: ContactProcess.start(request, **address)):
            return redirect("club:contact-code")
    phone = spoken_phone(request.user.phone) if request.user.phone else ""
    return render(request, "club/contact.html", {"form": form, "phone": phone})


@never_cache
@sensitive_post_parameters()
def contact_code(request: HttpRequest) -> HttpResponse:
    """The code sent to the new address."""
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("club:contact"), reverse("account_login"))
    process = ContactProcess.resume(request)
    if process is None:
        return redirect("club:contact")
    form = CodeForm(request.POST or None, code=process.code)
    if request.method == "POST":
        if form.is_valid():
            try:
                process.finish()
            except Refused as refusal:
                for reason in refusal.reasons:
                    messages.warning(request, str(reason.text))
                return redirect("club:contact")
            messages.success(request, _("C’est enregistré."))
            return redirect("club:contact")
        if not process.record_invalid_attempt():
            too_many = get_adapter().error_messages["too_many_login_attempts"]
            messages.warning(request, str(too_many))
            return redirect("club:contact")
    address = process.address
    context = {
        "form": form,
        "recipient": address["email"] or spoken_phone(address["phone"]),
        "by_phone": bool(address["phone"]),
        "demo_code": demo_code(process.code),
        "start_url": reverse("club:contact"),
    }
    return render(request, "account/code.html", context)
