"""The one Jinja2 environment: escaped, translated, compiled once and kept as bytecode between starts."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
from django.conf import settings
from django.templatetags.static import static as _static
from django.urls import reverse
from django.utils import translation

from furong.foundation.web import forms, texts


def environment(**options: Any) -> jinja2.Environment:
    """Build the environment for Django's Jinja2 backend; called once a process.

    An undefined name in a template is an error, so that a misspelt value never becomes an empty place on a page.
    """
    cache = settings.HOME / "cache" / "templates"
    cache.mkdir(parents=True, exist_ok=True)
    options["undefined"] = jinja2.StrictUndefined
    options["bytecode_cache"] = jinja2.FileSystemBytecodeCache(str(cache))
    options["trim_blocks"] = True
    options["lstrip_blocks"] = True
    options["extensions"] = ["jinja2.ext.i18n", "jinja2.ext.do"]
    options["autoescape"] = True
    env = jinja2.Environment(**options)  # noqa: S701 - set on the line above
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(  # type: ignore[attr-defined]  # the i18n extension adds it
        translation.gettext, translation.ngettext, newstyle=True, pgettext=translation.pgettext
    )
    env.globals.update(static=static, url=url, languages=texts.LANGUAGES)
    env.filters.update(
        text=texts.text,
        other_text=texts.other_text,
        day=texts.day,
        fact=texts.fact,
        moment=texts.moment,
        clock=texts.clock,
        recent=texts.recent,
        iso=texts.iso,
        number=texts.number,
        percent=texts.percent,
        file_size=texts.file_size,
        field_view=forms.view_of,
        field_views=forms.views_of,
        field_groups=forms.groups_of,
        mistakes=_mistakes,
    )
    return env


@cache
def static(path: str) -> str:
    """Give the address of a static file, with its hash once collected; the same for the life of the process."""
    return str(_static(path))


def url(name: str, /, **kwargs: object) -> str:
    """Give the path of the named route; in templates: ``url("portal:home")``."""
    return reverse(name, kwargs=kwargs) if kwargs else _plain_url(name)


@cache
def _plain_url(name: str) -> str:
    return reverse(name)


def _mistakes(shown: Any) -> list[forms.Mistake]:
    return forms.mistakes_of(*(shown if isinstance(shown, list | tuple) else [shown]))
