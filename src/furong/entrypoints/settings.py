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
        "OPTIONS": {**info, "server_side_binding": True, "prepare_threshold": 5, "connect_timeout": 10},
    }


DATABASES = {
    "default": _database("FURONG_DATABASE_URL", "postgresql://furong@127.0.0.1:5432/furong"),
    "population": _database("FURONG_POPULATION_DATABASE_URL", "postgresql://furong@127.0.0.1:5432/furong_population"),
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

# The rooms in the order of the floors; import-linter holds the direction.
ROOMS = (
    "foundation.calendar",
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
    "foundation.web",
    "registries.population",
    "registries.licences",
    "domains.decisions",
    "domains.processes",
    "domains.catalogue",
    "domains.services",
    "domains.cases",
    "sites.portal",
    "sites.workbench",
)


def _has_apps(room: str) -> bool:
    return (SOURCE / room.replace(".", "/") / "apps.py").exists()


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
    *(f"furong.{room}" for room in ROOMS if _has_apps(room)),
]
if (SOURCE / "foundation/identity/models.py").exists():
    AUTH_USER_MODEL = "identity.Account"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "zh-hans"
