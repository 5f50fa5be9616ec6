"""Reads of the frame: what the site is called."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Text
from furong.foundation.web.kinds import Site

DEFAULT = Site(code="default", name=Text.of(settings.SITE_NAME))


def get_site(*, code: str = "portal") -> Site:
    """Give the site's texts from the imported pack.

    Plain ones when there is no pack or no database: a page that tells of an error needs a name too.
    """
    try:
        release = packs.find_release(kind="site", code=code, on=timezone.localdate())
        found: Site = DEFAULT if release is None else packs.get_value(kind="site", digest=release.digest)
    except (DatabaseError, InterfaceError):
        return DEFAULT
    return found
