"""Settings, all read from the environment; `README.md` lists each variable.

Three modes exist. `development` (the default) and `demo` choose safe local
values; `production` refuses to start without the values that it needs, with
one sentence that names the variable.
"""

import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()


def required(name: str, why: str) -> str:
    value: str = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is missing: {why}.")
    return value


def whole_number(name: str, default: int, least: int = 0) -> int:
    raw = env.str(name, str(default))
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from error
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, not {value}.")
    return value


MODE = env.str("MODE", "development")
if MODE not in {"development", "demo", "production"}:
    raise ImproperlyConfigured(f"MODE must be development, demo or production, not {MODE!r}.")
PRODUCTION = MODE == "production"
DEMO = MODE == "demo"
TESTING = "pytest" in sys.modules
DEBUG = MODE == "development" and env.str("DEBUG", "") == "1"

# -- Where the program writes ------------------------------------------------

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var"))).resolve()
try:
    (VAR_DIR / "static").mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"VAR_DIR cannot be written: {error}.") from error


def local_secret() -> str:
    """A key made once for this machine, so that a restart signs nobody out."""
    path = VAR_DIR / "secret-key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


if PRODUCTION:
    SECRET_KEY = required("SECRET_KEY", "it signs sessions and queued tasks")
    if len(SECRET_KEY) < 50:
        raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters.")
else:
    SECRET_KEY = env.str("SECRET_KEY", "") or local_secret()
TENANCY_KEY = (
    required("TENANCY_KEY", "it keys the digests of the proof of tenancy")
    if PRODUCTION
    else env.str("TENANCY_KEY", "") or "tenancy:" + SECRET_KEY
)

BASE_URL = (
    required("BASE_URL", "links in messages start with it, for example https://club.example.org")
    if PRODUCTION
    else env.str("BASE_URL", "http://localhost:8000")
).rstrip("/")
if not BASE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured("BASE_URL must start with http:// or https://.")
ALLOWED_HOSTS = (
    [h for h in required("ALLOWED_HOSTS", "host names, separated by commas").split(",") if h]
    if PRODUCTION
    else ["*"]
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# -- Applications --------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "portal",
    "desk",
    "demo",
    "cms",
    "concierge",
    "marketplace",
    "events",
    "club",
    "content",
    "wagtail.contrib.settings",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django_htmx",
    "django_q",
    "ninja",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_linear_migrations",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
]
if PRODUCTION:
    INSTALLED_APPS.remove("django_linear_migrations")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.api_path.ApiPathMiddleware",
    "config.middleware.ReadableMiddleware",
    "cms.middleware.PageCacheMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "club.access.AdminDoorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "content.forms.Renderer"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wagtail.contrib.settings.context_processors.settings",
                "club.context.site",
                "cms.context.site",
            ],
        },
    }
]

# -- Database ------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'database.sqlite3'}"
try:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
    ENGINE = DATABASES["default"]["ENGINE"]
except (KeyError, ValueError, environ.ImproperlyConfigured) as error:
    raise ImproperlyConfigured(
        "DATABASE_URL must look like sqlite:///path or postgres://user:password@host:5432/name."
    ) from error
if ENGINE == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;"
        ),
    }
    # In a file, as in real life: threads and processes race on it.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
elif ENGINE == "django.db.backends.postgresql":
    # In milliseconds; the tests make and drop whole databases.
    STATEMENT_TIMEOUT = 120_000 if TESTING else 10_000
    DATABASES["default"] |= {
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": (
                f"-c statement_timeout={STATEMENT_TIMEOUT} -c lock_timeout=3000"
                " -c idle_in_transaction_session_timeout=15000"
            ),
        },
    }
else:
    raise ImproperlyConfigured("DATABASE_URL must name an SQLite or a PostgreSQL database.")

# -- Cache: the shared store of rate limits and pages ---------------------------

REDIS_URL = env.str("REDIS_URL", "")
if REDIS_URL:
    if not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured("REDIS_URL must start with redis://, rediss:// or unix://.")
    CACHES = {
        "default": {
            "BACKEND": "config.rediscache.OneClientRedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": env.str("CACHE_PREFIX", "conciergerie"),
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "shared_cache",
        }
    }
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
PAGE_CACHE_SECONDS = whole_number("PAGE_CACHE_SECONDS", 600)

API_REQUESTS_PER_MINUTE = whole_number("API_REQUESTS_PER_MINUTE", 300, least=1)

# -- How long people's data is kept (a nightly job warns and erases) ----------------

RETENTION_ACCOUNT_MONTHS = whole_number("RETENTION_ACCOUNT_MONTHS", 24, least=1)
RETENTION_LAPSE_MONTHS = whole_number("RETENTION_LAPSE_MONTHS", 3)
RETENTION_WARNING_DAYS = whole_number("RETENTION_WARNING_DAYS", 30, least=1)
RETENTION_MESSAGES_MONTHS = whole_number("RETENTION_MESSAGES_MONTHS", 13, least=1)
RETENTION_SCANS_MONTHS = whole_number("RETENTION_SCANS_MONTHS", 13, least=1)

# -- Background work: the queue is a table of the same database ------------------

Q_CLUSTER = {
    "name": "conciergerie",
    "orm": "default",
    "workers": whole_number("WORKERS", 2, least=1),
    "queue_limit": 2,
    "timeout": 60,
    "retry": 300,
    "max_attempts": 8,
    "catch_up": False,
    "ack_failures": False,
    "save_limit": 500,
    "poll": 1,
    "label": "Tâches",
    # What recurs is put on the queue by `manage.py worker`: in the table of schedules
    # one malformed row stops all.
    "scheduler": False,
    # The cluster notes its state twice a second, for a monitor that nobody runs here.
    "cache": "worker",
}
CACHES["worker"] = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}

# -- Sign-in ---------------------------------------------------------------------

AUTH_USER_MODEL = "club.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/mon-espace/"
LOGOUT_REDIRECT_URL = "/"
TRUSTED_PROXIES = whole_number("TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
AXES_IPWARE_PROXY_COUNT = TRUSTED_PROXIES or None
ACCOUNT_ADAPTER = "club.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
# Our own pages ask for the code (club.accounts), so allauth's are not routed.
ACCOUNT_LOGIN_BY_CODE_ENABLED = False
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_RATE_LIMITS = {"request_login_code": "20/m/ip,3/m/key,10/h/key"}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BASE_URL.startswith("https") else "http"

MFA_ADAPTER = "club.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_FORMS = {
    "authenticate": "club.forms.AppCodeForm",
    "reauthenticate": "club.forms.AppCodeAgainForm",
    "activate_totp": "club.forms.SetUpAppForm",
    "add_webauthn": "club.forms.SetUpKeyForm",
}
MFA_TOTP_ISSUER = "Conciergerie"
MFA_TOTP_TOLERANCE = 1
MFA_PASSKEY_LOGIN_ENABLED = False
# Staff addresses are given by the landlord, and the password page stands before this one.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "email"
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_VERBOSE = False
SESSION_COOKIE_AGE = 90 * 24 * 3600  # seconds; residents stay signed in 90 days
SMS_SENDER = env.str("SMS_SENDER", "" if PRODUCTION else "club.sms.ConsoleSender")
SMS_URL = env.str("SMS_URL", "")
SMS_TOKEN = env.str("SMS_TOKEN", "")
SMS_FROM = env.str("SMS_FROM", "Accueil")

# -- Security ----------------------------------------------------------------------

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "SAMEORIGIN"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SECURE_SSL_REDIRECT = env.str("SSL_REDIRECT", "1") == "1"
    SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# -- Words and time -------------------------------------------------------------------

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("Français")), ("en", _("English"))]
WAGTAIL_CONTENT_LANGUAGES = [("fr", "Français")]
WAGTAILADMIN_PERMITTED_LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Paris"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"

# -- Files ----------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "site" / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Papers of partners and people: no address leads there, a view gives them out.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "private", "base_url": None},
    },
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
S3_BUCKET = env.str("S3_BUCKET", "")
if S3_BUCKET:
    IN_S3 = {
        "bucket_name": S3_BUCKET,
        "endpoint_url": env.str("S3_ENDPOINT", "") or None,
        "region_name": env.str("S3_REGION", "") or None,
        "querystring_auth": True,
    }
    BACKEND = "storages.backends.s3.S3Storage"
    STORAGES["default"] = {"BACKEND": BACKEND, "OPTIONS": IN_S3}
    STORAGES["private"] = {"BACKEND": BACKEND, "OPTIONS": {**IN_S3, "location": "private"}}

# -- Wagtail ---------------------------------------------------------------------------

WAGTAIL_SITE_NAME = "Conciergerie"
# What a field shows must be what it reads, in each language: `config.formats` sees to it.
WAGTAIL_DATE_FORMAT = "%d/%m/%Y"
WAGTAIL_DATETIME_FORMAT = "%d/%m/%Y %H:%M"
WAGTAIL_TIME_FORMAT = "%H:%M"
WAGTAILADMIN_BASE_URL = BASE_URL
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_USAGE_COUNT_ENABLED = True
WAGTAIL_FRONTEND_LOGIN_URL = "/compte/connexion/"
WAGTAILADMIN_LOGIN_URL = "staff-login"
WAGTAILADMIN_UNSAFE_PAGE_DELETION_LIMIT = 10
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAIL_WORKFLOW_ENABLED = True
WAGTAILIMAGES_IMAGE_MODEL = "content.Picture"
WAGTAILIMAGES_IMAGE_FORM_BASE = "content.uploads.PictureForm"
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 8 * 1024 * 1024
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 40_000_000
WAGTAILIMAGES_EXTENSIONS = ["jpg", "jpeg", "png", "webp"]
WAGTAILDOCS_EXTENSIONS = ["pdf", "odt", "ods", "docx", "xlsx", "csv"]
WAGTAILSEARCH_BACKENDS = {
    "default": {"BACKEND": "wagtail.search.backends.database", "SEARCH_CONFIG": "french_plain"}
}

# -- Payment -------------------------------------------------------------------------------

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", "")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "")
if STRIPE_SECRET_KEY:
    if not STRIPE_SECRET_KEY.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        raise ImproperlyConfigured("STRIPE_SECRET_KEY must be a secret key: sk_… or rk_….")
    if not STRIPE_WEBHOOK_SECRET.startswith("whsec_"):
        raise ImproperlyConfigured(
            "STRIPE_WEBHOOK_SECRET is missing: without it no message of Stripe can be believed."
        )
    if STRIPE_API_BASE and "_live_" in STRIPE_SECRET_KEY:
        raise ImproperlyConfigured(
            "STRIPE_API_BASE and a live STRIPE_SECRET_KEY exclude each other."
        )

# -- The State's company register: staff look partners up by SIRET where it has an address --

COMPANY_REGISTER_URL = env.str("COMPANY_REGISTER_URL", "").rstrip("/")
if COMPANY_REGISTER_URL and not re.fullmatch(
    r"https?://[\w.-]+(:\d+)?(/[\w./-]*)?", COMPANY_REGISTER_URL
):
    raise ImproperlyConfigured("COMPANY_REGISTER_URL must look like https://register.example.org.")

# -- Messages out -------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "conciergerie@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    try:
        EMAIL = env.email_url_config(EMAIL_URL)
        EMAIL_BACKEND = EMAIL["EMAIL_BACKEND"]
    except (KeyError, ValueError, environ.ImproperlyConfigured) as error:
        raise ImproperlyConfigured(
            "EMAIL_URL must look like smtp+tls://user:password@smtp.example.org:587."
        ) from error
    EMAIL_HOST = EMAIL.get("EMAIL_HOST", "")
    EMAIL_PORT = EMAIL.get("EMAIL_PORT") or 25
    EMAIL_HOST_USER = EMAIL.get("EMAIL_HOST_USER") or ""
    EMAIL_HOST_PASSWORD = EMAIL.get("EMAIL_HOST_PASSWORD") or ""
    EMAIL_USE_TLS = bool(EMAIL.get("EMAIL_USE_TLS"))
    EMAIL_USE_SSL = bool(EMAIL.get("EMAIL_USE_SSL"))
elif PRODUCTION:
    raise ImproperlyConfigured(
        "EMAIL_URL is missing: messages leave through it, for example"
        " smtp+tls://user:password@smtp.example.org:587."
    )
else:
    EMAIL_BACKEND = "club.mail.FileBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_TIMEOUT = 15

# -- Logs -----------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "WARNING")},
    # A page refused or not found is an answer, not an incident: only 5xx are told.
    "loggers": {"django.request": {"level": "ERROR"}},
}

SILENCED_SYSTEM_CHECKS = [
    # An index's included columns serve PostgreSQL alone; SQLite ignores them.
    "models.W040",
    # Wagtail's preview shows a page of this site in a frame of this site.
    "security.W019",
]
