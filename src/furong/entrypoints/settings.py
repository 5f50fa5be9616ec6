"""Django's settings. Values come from ``FURONG_*`` environment variables; the defaults suit one machine of a developer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

SOURCE = Path(__file__).resolve().parents[1]
HOME = Path(os.environ.get("FURONG_HOME", ".furong")).resolve()
PRODUCTION = os.environ.get("FURONG_ENV", "development") == "production"
DEBUG = False


def _of_running_demo(name: str) -> str:
    """Commands in a second terminal reach the databases of the demo that runs on this folder."""
    try:
        found = json.loads((HOME / "run.json").read_text())
    except (OSError, ValueError):
        return ""
    return str(found.get(name, "")) if isinstance(found, dict) else ""


def _setting(name: str, default: str = "") -> str:
    return os.environ.get(name) or ("" if PRODUCTION else _of_running_demo(name)) or default


# A server behind a cable that was pulled says nothing: what was sent is given up after 15 s, who waits asks whether it is there.
_DEAD_LINK = {"tcp_user_timeout": 15_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}


def _database(variable: str, fallback: str) -> dict[str, Any]:
    info = conninfo_to_dict(_setting(variable, fallback))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": info.pop("dbname", ""),
        "USER": info.pop("user", ""),
        "PASSWORD": info.pop("password", ""),
        "HOST": info.pop("host", ""),
        "PORT": str(info.pop("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_DEAD_LINK, **info, "server_side_binding": True, "prepare_threshold": 5, "connect_timeout": 10},
    }


DATABASES = {
    "default": _database("FURONG_DATABASE_URL", "postgresql://furong@127.0.0.1:5432/furong"),
    "population": _database("FURONG_POPULATION_DATABASE_URL", "postgresql://furong@127.0.0.1:5432/furong_population"),
}
# The population register's city centres, which this process may write to: "4301=postgresql://… 4302=…". None at a centre itself,
# whose own database is the register it knows.
# A centre's own node (``furong centre``): the city's four digits, the key of its staff's second factors, how many hours it may
# work on rights that it last heard of from the platform. FURONG_DATABASE_URL is the node's own database then.
CENTRE = os.environ.get("FURONG_CENTRE", "")
CENTRE_KEY = os.environ.get("FURONG_CENTRE_KEY", "") if CENTRE else ""
CENTRE_MOST_HOURS = float(os.environ.get("FURONG_CENTRE_MOST_HOURS") or "24")
_named = "" if CENTRE else _setting("FURONG_POPULATION_CENTRES")
_centres = dict(one.split("=", 1) for one in _named.split())
POPULATION_CENTRES = frozenset(_centres)
OWN_DATABASES = ("default", "population")  # those that this process cannot do without
DATABASES |= {
    f"centre_{code}": {**_database("", address), "CONN_MAX_AGE": 60} for code, address in sorted(_centres.items())
}
DATABASE_ROUTERS = ["furong.entrypoints.databases.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = _setting("FURONG_SECRET_KEY")
if not SECRET_KEY:
    if PRODUCTION:
        raise RuntimeError("FURONG_SECRET_KEY is not set; production needs one of its own.")
    SECRET_KEY = "development-only-not-a-secret-" + "0" * 24

ALLOWED_HOSTS = _setting("FURONG_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in _setting("FURONG_TRUSTED_ORIGINS").split(",") if o]

# The rooms that Django has to know (tables, templates, texts), in the order of the floors; import-linter holds the direction.
ROOMS = (
    "foundation.access",
    "foundation.audit",
    "foundation.signing",
    "foundation.storage",
    "foundation.events",
    "foundation.jobs",
    "foundation.packs",
    "foundation.organizations",
    "foundation.identity",
    "foundation.notices",
    "foundation.replicas",
    "foundation.web",
    "registries.population",
    "registries.licences",
    "registries.portraits",
    "registries.identity_cards",
    "registries.legal_entities",
    "domains.processes",
    "domains.catalogue",
    "domains.objections",
    "domains.services",
    "domains.bookings",
    "domains.payments",
    "domains.cases",
    "domains.exchange",
    "domains.search",
    "sites.portal",
    "sites.workbench",
    "sites.opendata",
)


INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    *(f"furong.{room}" for room in ROOMS),
    "furong.entrypoints",  # last: puts the house together
]
AUTH_USER_MODEL = "identity.Account"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None  # accounts have no e-mail address; allauth's migrations would look for one

# --- the frame (foundation.web) -------------------------------------------------------------------------------------------------

BEHIND_PROXY = _setting("FURONG_BEHIND_PROXY") == "1"  # then X-Request-ID and X-Forwarded-Proto are believed
HTTPS = PRODUCTION or _setting("FURONG_HTTPS") == "1"
SITE_NAME = json.loads(_setting("FURONG_SITE_NAME", '{"zh": "政务服务", "en": "Government services"}'))
ROOT_URLCONF = "furong.entrypoints.urls"
WSGI_APPLICATION = "furong.entrypoints.wsgi.application"
# What a QR code leads to.
PUBLIC_URL = _setting("FURONG_PUBLIC_URL", _setting("address", "http://127.0.0.1:8000/")).rstrip("/")
POPULATION_PACES = json.loads(_setting("FURONG_POPULATION_PACES", "{}"))  # how often an account may ask each query
# Who takes fees: "simulated" moves no money; empty asks nobody for any.
PAYMENTS = _setting("FURONG_PAYMENTS", "" if PRODUCTION else "simulated")
METRICS_TOKEN = _setting("FURONG_METRICS_TOKEN")
# The machines on which the platform's own gateway runs, as networks: it alone reads rows that are shared with no code.
EXCHANGE_NETWORKS = _setting("FURONG_EXCHANGE_NETWORKS", "127.0.0.0/8,::1/128").split(",")
# Which registers outside are asked over the exchange instead of their twins (birth_records), by which member's system and key.
EXCHANGE_ASKS = frozenset(one for one in _setting("FURONG_EXCHANGE_ASKS").split(",") if one)
EXCHANGE_KEY = Path(_setting("FURONG_EXCHANGE_KEY", str(HOME / "keys" / "exchange-platform.key")))
SEARCH_HOME = Path(_setting("FURONG_SEARCH_HOME", str(HOME / "search")))  # the search's index: made anew at will
# Private networks whose catalogues may be harvested, as 10.20.0.0/16, with commas; the public internet always may.
HARVEST_NETWORKS = _setting("FURONG_HARVEST_NETWORKS").split(",")


MIDDLEWARE = [
    "furong.foundation.web.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "furong.foundation.web.middleware.HeadersMiddleware",
    "furong.foundation.web.middleware.LanguageMiddleware",
    "furong.foundation.web.middleware.ReadsMiddleware",
    "furong.foundation.web.middleware.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "furong.foundation.identity.middleware.ActorMiddleware",
    *(["furong.entrypoints.counter_pages.CounterMiddleware"] if CENTRE else []),
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "NAME": "furong",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [
            SOURCE / room / "templates" / "jinja2"
            for room in ("foundation/web", "foundation/identity", "sites/portal", "sites/workbench", "sites/opendata")
        ],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "furong.foundation.web.environment.environment",
            "context_processors": ["furong.foundation.web.requests.frame"],
        },
    },
    {
        # Only for what the libraries render themselves (mails of allauth).
        "NAME": "libraries",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
LOGIN_URL = "/account/sign-in"
FORM_RENDERER = "furong.foundation.web.forms.Renderer"

USE_TZ = True
TIME_ZONE = _setting("FURONG_TIME_ZONE", "Asia/Shanghai")
USE_I18N = True
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "furong_language"
LOCALE_PATHS = [HOME / "locale"]  # foundation.web compiles the rooms' .po files there

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # files go through foundation.storage
    "staticfiles": {"BACKEND": "furong.foundation.web.static_files.HashedStorage"},
}

MAX_FILE_BYTES = 10 * 1024 * 1024
REQUEST_MAX_BYTES = 60 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_HANDLERS = [
    "furong.foundation.web.uploads.LimitHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # data: the drawing library's own style sheet holds an arrow as one
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"

SESSION_COOKIE_NAME = "furong_counter" if CENTRE else "furong_session"  # both may be open in one browser
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "furong_counter_csrf" if CENTRE else "furong_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "furong.foundation.web.views.csrf_failed"

# --- sign-in (foundation.identity) ---------------------------------------------------------------------------------------------

SESSION_ENGINE = "furong.foundation.identity.sessions"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
        ("UserAttributeSimilarityValidator", {"user_attributes": ("username",)}),
    )
]
REQUIRE_TOTP = _setting("FURONG_REQUIRE_TOTP", "1" if PRODUCTION else "0") == "1"  # staff need a second factor
TRUSTED_PROXIES = int(_setting("FURONG_TRUSTED_PROXIES", "1" if BEHIND_PROXY else "0"))  # how many stand before us
STAFF_HOME, RESIDENT_HOME = "/work/", "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "furong.foundation.identity.adapters.SecretsAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME["zh"]

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "furong.foundation.web.logs.JsonFormatter"}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["lines"], "level": "WARNING"},
    "loggers": {
        "furong": {"level": _setting("FURONG_LOG_LEVEL", "INFO"), "handlers": ["lines"], "propagate": False},
        "django": {"level": "WARNING", "handlers": ["lines"], "propagate": False},
        # Its lines hold paths; RequestMiddleware logs each request by its route instead. Errors stay.
        "django.request": {"level": "ERROR", "handlers": ["lines"], "propagate": False},
    },
}
