"""Reading DMN files; equal bytes are compiled once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from furong.domains.decisions.describing import DecisionText, RuleText, describe_dmn
from furong.domains.decisions.model import DecisionModel
from furong.domains.decisions.parsing import build_model

__all__ = ["DecisionText", "RuleText", "describe_dmn", "parse_dmn", "read_dmn"]

_MOST_KEPT = 256
_kept: OrderedDict[tuple[str, str, bool], DecisionModel] = OrderedDict()
_lock = Lock()


def read_dmn(path: Path, *, lenient: bool = False) -> DecisionModel:
    """This function will read the DMN file at ``path``."""
    return parse_dmn(path.read_bytes(), file=path.name, lenient=lenient)


def parse_dmn(data: bytes, *, file: str, lenient: bool = False) -> DecisionModel:
    """This function will read a DMN 1.3 to 1.5 file and return a model that is ready to run.

    ``file`` is named in findings. Raises ``DecisionRefused`` with every finding. Costs some milliseconds the first
    time; equal bytes under the same name come from a cache of 256 models. Models are frozen and may be shared.
    """
    key = (hashlib.sha256(data).hexdigest(), file, lenient)
    with _lock:
        model = _kept.get(key)
        if model is not None:
            _kept.move_to_end(key)
            return model
    model = build_model(data, file=file, digest=key[0], lenient=lenient)
    with _lock:
        _kept[key] = model
        if len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return model
