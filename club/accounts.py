"""Signing in. allauth keeps the machinery; what is ours is who gets a code, and when.

A code goes to whatever e-mail or phone was typed, in the same way whether an account
exists or not: nobody is looked up before the code comes back. So a known and an
unknown address get the same answer, and an account is only made once its owner has
proved the address.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.models import EmailAddress, Login
from allauth.account.stages import LoginByCodeStage, LoginStageController
from allauth.core import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from club import sms
from club.access import has_second_factor, staff_places
from club.context import member_of, place_of
from club.domain.members import register_member, set_proven_contact
from club.enums import Role
from club.kernel import sms_text
from club.kernel.homes import home_of
from club.kernel.refusal import refuse
from club.models import User
from club.queries.team import is_team

TEAM_SESSION_SECONDS = 12 * 3600
"""Staff sign in once a working day; residents stay signed in for 90 days."""


def work_page(user: User) -> str:
    """Where a member of staff works: the desk, or the pages of the site."""
    at_desk = staff_places(user, Role.CONCIERGE, Role.OFFICER).exists()
    return reverse("desk:home" if at_desk else "wagtailadmin_home")


class AccountAdapter(DefaultAccountAdapter):
    """allauth's hooks: stages of a sign-in, where it leads, and our sentences."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": _("Ce code n’est pas le bon. Vérifiez les six chiffres."),
        "incorrect_password": _("Ce mot de passe n’est pas le bon."),
        "enter_current_password": _("Écrivez votre mot de passe actuel."),
        "email_password_mismatch": _("Cet e-mail et ce mot de passe ne vont pas ensemble."),
        "too_many_login_attempts": _("Trop d’essais. Attendez quelques minutes, puis recommencez."),
        "rate_limited": _("Trop de demandes. Attendez quelques minutes, puis recommencez."),
    }

    def get_login_stages(self) -> list[str]:
        """No stage to verify an e-mail: the code that came back has done it."""
        return [
            "allauth.account.stages.LoginByCodeStage",
            "allauth.mfa.stages.AuthenticateStage",
        ]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return True

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """The first second factor is set up right after the password; a change asks again."""
        user = self.request.user
        if app == "allauth.mfa" and not has_second_factor(user):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        if is_team(user):
            request.session.set_expiry(TEAM_SESSION_SECONDS)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Members to their own pages, staff to their work, others to where they have some."""
        if member_of(request) is not None:
            return settings.LOGIN_REDIRECT_URL
        if is_team(request.user):
            return work_page(request.user)  # type: ignore[arg-type]
        home = home_of(request.user)  # type: ignore[arg-type]
        return home.url if home else settings.LOGIN_REDIRECT_URL

    def set_phone_verified(self, user: User, phone: str) -> None:
        user.phone, user.phone_verified = phone, True
        user.save(update_fields=["phone", "phone_verified"])


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }


def user_with(email: str = "", phone: str = "") -> User | None:
    """Whose address this is. An e-mail that nobody proved still belongs to who was given it."""
    if phone:
        return User.objects.filter(phone=phone).first()
    proved = EmailAddress.objects.filter(email__iexact=email, verified=True).first()
    if proved is not None:
        return proved.user
    return User.objects.filter(email__iexact=email).first()


def send_code(request: HttpRequest, code: str, *, email: str = "", phone: str = "") -> None:
    """Send a code; raises `RateLimited`, or an `OSError` when it did not leave."""
    ratelimit.consume(
        request, action="request_login_code", key=email or phone, raise_exception=True
    )
    if email:
        get_adapter().send_mail("account/email/login_code", email, {"code": code})
    else:
        name = getattr(place_of(request), "name", None) or settings.WAGTAIL_SITE_NAME
        text = _("%(name)s : votre code est %(code)s. Ne le donnez à personne.")
        sender = sms_text.shortened(sms_text.normalised(name), 40)
        words = sms_text.normalised(str(text) % {"name": sender, "code": code})
        sms.send_sms(phone, words)


class EntryProcess(LoginCodeVerificationProcess):
    """A sign-in or a sign-up under way: an address, the code sent there, perhaps a name."""

    @classmethod
    def start(
        cls, request: HttpRequest, *, email: str = "", phone: str = "", **names: str
    ) -> "EntryProcess":
        login = Login(user=None, email=email or None, phone=phone or None)
        login.state["stages"] = {"current": LoginByCodeStage.key}
        stage = LoginByCodeStage(LoginStageController(request, login), request, login)
        stage.state.update(cls.initial_state(user=None, email=email, phone=phone))
        stage.state.update(names, initiated_by_user=True)
        process = cls(stage)
        process.send()
        process.persist()
        return process

    @classmethod
    def resume(cls, stage: LoginByCodeStage) -> "EntryProcess | None":
        return cls(stage).abort_if_invalid()

    @property
    def address(self) -> dict[str, str]:
        return {kind: self.state.get(kind) or "" for kind in ("email", "phone")}

    def generate_code(self) -> str:
        self.state["code"] = get_adapter().generate_login_code()
        return self.code

    def send(self, skip_enumeration_mails: bool = False) -> None:
        send_code(self.request, self.generate_code(), **self.address)

    def resend(self) -> None:
        self.send()
        self.record_resend()
        self.persist()

    def finish(self, redirect_url: str | None) -> HttpResponse:
        """The address is proved: sign in who has it, or make the account, or ask the name."""
        user = user_with(**self.address)
        if user is None and not self.state.get("last_name"):
            self.state["proved"] = True
            self.persist()
            query = f"?{urlencode({'next': redirect_url})}" if redirect_url else ""
            return redirect(reverse("account_name") + query)
        made = user is None
        if user is None:
            user = self.make_account()
        elif user.is_active:
            set_proven_contact(user, **self.address, by=user, now=timezone.now())
        record_authentication(self.request, user, "code", **self.address)
        login = Login(user=user, redirect_url=redirect_url, signup=made)
        return perform_login(self.request, login)

    def make_account(self) -> User:
        now = timezone.now()
        place = place_of(self.request)
        if place is None:
            raise refuse("no_place", _("Aucun point d’accueil n’est encore ouvert."))
        member = register_member(
            first_name=self.state["first_name"],
            last_name=self.state["last_name"],
            place=place,
            email=self.address["email"],
            phone=self.address["phone"],
            by=None,
            now=now,
        )
        set_proven_contact(member.user, **self.address, by=member.user, now=now)
        return member.user


class ContactProcess(AbstractCodeVerificationProcess):
    """Somebody signed in adds or changes their e-mail or phone."""

    KEY = "contact_code"
    person: User

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        self.request = request
        self.person = request.user  # type: ignore[assignment]
        super().__init__(
            user=request.user,
            state=state,
            max_attempts=settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS,
            timeout=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT,
        )

    @classmethod
    def start(cls, request: HttpRequest, *, email: str = "", phone: str = "") -> "ContactProcess":
        process = cls(request, cls.initial_state(None, email=email, phone=phone))
        process.send()
        process.persist()
        return process

    @classmethod
    def resume(cls, request: HttpRequest) -> "ContactProcess | None":
        state = request.session.get(cls.KEY)
        return cls(request, state).abort_if_invalid() if state else None

    @property
    def address(self) -> dict[str, str]:
        return {kind: self.state.get(kind) or "" for kind in ("email", "phone")}

    def send(self) -> None:
        self.state["code"] = get_adapter().generate_login_code()
        send_code(self.request, self.code, **self.address)

    def persist(self) -> None:
        self.request.session[self.KEY] = self.state

    def abort(self) -> None:
        self.request.session.pop(self.KEY, None)

    def finish(self) -> None:
        """Keep the proved address; refused when another account has it."""
        self.abort()
        set_proven_contact(self.person, **self.address, by=self.person, now=timezone.now())
