"""Everything under /compte/: only the pages of allauth that have a use here, in our dress.

Password reset, e-mail lists and social accounts have no address at all.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions import views as usersessions
from django.urls import path
from django.views.generic import RedirectView

from club.views import account as ours
from club.views.account import proving_page, team_page

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="club:contact")),
    path("connexion/", ours.LoginView.as_view(), name="account_login"),
    path("connexion/code/", ours.ConfirmCodeView.as_view(), name="account_confirm_login_code"),
    path("connexion/nom/", ours.NameView.as_view(), name="account_name"),
    path("inscription/", ours.SignupView.as_view(), name="account_signup"),
    path("deconnexion/", account.logout, name="account_logout"),
    path("ferme/", account.account_inactive, name="account_inactive"),
    path("appareils/", usersessions.list_usersessions, name="usersessions_list"),
    path("equipe/", ours.StaffLoginView.as_view(), name="staff-login"),
    path("equipe/code/", mfa.authenticate, name="mfa_authenticate"),
    path("equipe/confirmer/", proving_page(account.reauthenticate), name="account_reauthenticate"),
    path("equipe/confirmer/code/", proving_page(mfa.reauthenticate), name="mfa_reauthenticate"),
    path(
        "equipe/confirmer/cle/",
        proving_page(webauthn.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "equipe/mot-de-passe/",
        team_page(account.password_change),
        name="account_change_password",
    ),
    path("equipe/securite/", team_page(mfa.index), name="mfa_index"),
    path(
        "equipe/securite/application/",
        team_page(ours.SetUpAppView.as_view()),
        name="mfa_activate_totp",
    ),
    path(
        "equipe/securite/application/retirer/",
        team_page(totp.deactivate_totp),
        name="mfa_deactivate_totp",
    ),
    path("equipe/securite/cles/", team_page(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path(
        "equipe/securite/cles/ajouter/",
        team_page(ours.SetUpKeyView.as_view()),
        name="mfa_add_webauthn",
    ),
    path(
        "equipe/securite/cles/<int:pk>/retirer/",
        team_page(webauthn.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path(
        "equipe/securite/secours/",
        team_page(recovery.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "equipe/securite/secours/renouveler/",
        team_page(recovery.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
]
