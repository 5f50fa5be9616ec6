"""Reading DMN files; equal bytes are compiled once."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from furong.domains.decisions.describing import DecisionText, RuleText, describe_dmn
from furong.domains.decisions.model import DecisionModel
from furong.domains.decisions.parsing import build_model
from furong.domains.decisions.reading import MOST_BYTES
from furong.domains.decisions.units import Resolve

__all__ = ["DecisionText", "RuleText", "describe_dmn", "parse_dmn", "read_dmn"]

_MOST_KEPT = 256
_MOST_FILES = 200  # of a folder that are looked into for an imported namespace
_HEAD = 20_000  # bytes in which the namespace of a file is looked for
_kept: OrderedDict[tuple[str, str, bool], DecisionModel] = OrderedDict()
_lock = Lock()
_IMPORT = re.compile(rb"<(?:[\w.-]+:)?import[\s>]")
_NAMESPACE = re.compile(rb"\snamespace\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


def read_dmn(path: Path, *, lenient: bool = False) -> DecisionModel:
    """Read the DMN file at ``path`` and what it imports from the same folder.

    See ``parse_dmn``. Raises ``OSError`` when the file cannot be read.
    """
    return parse_dmn(_read(path), file=path.name, lenient=lenient, resolve=_folder(path))


def parse_dmn(data: bytes, *, file: str, lenient: bool = False, resolve: Resolve | None = None) -> DecisionModel:
    """Read a DMN 1.1 to 1.5 file and return a model that is ready to run.

    ``file`` is named in findings. ``resolve`` finds imported files by namespace and location. Raises
    ``DecisionRefused`` with every finding; a ``lenient`` model keeps an expression that cannot be run as a null with
    an error (``faults``), so that the rest of the file runs. Costs some milliseconds the first time; equal bytes
    under the same name come from a cache of 256 models, unless they import. Models are frozen and may be shared.
    """
    digest = hashlib.sha256(data).hexdigest()
    key = (digest, file, lenient)
    keep = resolve is None or _IMPORT.search(data) is None
    with _lock:
        model = _kept.get(key) if keep else None
        if model is not None:
            _kept.move_to_end(key)
            return model
    model = build_model(data, file=file, digest=digest, lenient=lenient, resolve=resolve)
    if keep:
        with _lock:
            _kept[key] = model
            if len(_kept) > _MOST_KEPT:
                _kept.popitem(last=False)
    return model


def _read(path: Path, most: int = MOST_BYTES + 1) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _folder(path: Path) -> Resolve:
    """Imports of the file's own folder: by file name, or the one whose ``definitions`` has the namespace."""

    def resolve(namespace: str, location: str) -> tuple[str, bytes] | None:
        name = location.removeprefix("./")
        if name and "/" not in name and "\\" not in name and (path.parent / name).is_file():
            data = _read(path.parent / name)
            if _has(data, namespace):
                return name, data
        for other in sorted(path.parent.glob("*.dmn"))[:_MOST_FILES]:
            if other.name != path.name and other.is_file() and _has(_read(other, _HEAD), namespace):
                return other.name, _read(other)
        return None

    return resolve


def _has(data: bytes, namespace: str) -> bool:
    # Good enough to choose a file by; the file itself is then read with care.
    head = data[:_HEAD]
    start = head.find(b"definitions")
    end = head.find(b">", start)
    found = _NAMESPACE.search(head, start, end) if start >= 0 else None
    return found is not None and (found[1] or found[2] or b"").decode("utf-8", "replace") == namespace
