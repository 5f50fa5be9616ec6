"""Definitions that are being edited: checked with everything that is published, and kept for a review before their release."""

from __future__ import annotations

from datetime import datetime

from furong.foundation.packs.commands import _newest_releases as newest_releases
from furong.foundation.packs.commands import _store as store_definition
from furong.foundation.packs.commands import published_files
from furong.foundation.packs.errors import KindUnknown
from furong.foundation.packs.queries import get_frame
from furong.foundation.packs.reading import check, parse_file
from furong.foundation.packs.values import Finding, Pack, PackFile, kind_named


def check_draft(*, kind: str, code: str, content: bytes) -> tuple[PackFile, Pack, list[Finding]]:
    """Check a definition that is being edited together with everything that is published: what publishing it would find.

    Gives the draft as it was read, the pack as it would be, and the findings. Raises `KindUnknown`.
    """
    spec = kind_named(kind)
    if spec is None:
        raise KindUnknown(kind=kind)
    frame = get_frame()
    draft = PackFile(kind=kind, code=code, path=code, shown=code, content=content, media_type=spec.media_type)
    draft.path = draft.shown = spec.path_of(code, spec.parse(content, code, frame)[0])
    parse_file(draft, spec, frame)
    newest = newest_releases(frame.code)
    published = [f for f in published_files(frame.code, newest) if (f.kind, f.code) != (kind, code)]
    whole = Pack(frame=frame, files=[*published, draft])
    return draft, whole, check(whole)


def store_draft(*, content: bytes, media_type: str, now: datetime) -> str:
    """Keep the bytes of a draft as an immutable definition, so that a review can point at it; gives its digest.

    It is released to nobody. Joins the caller's transaction.
    """
    return store_definition(content, media_type, now)
