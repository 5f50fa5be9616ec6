"""JSON without spaces, by an encoder that is made once: `json.JSONEncoder.encode` makes a new one for each text. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any

quote: Callable[[str], str] = encoder.encode_basestring
"""Give a text as a JSON string, with characters beyond ASCII as they are."""


def compact(*, ascii_only: bool, allow_nan: bool = True) -> Callable[[Any], str]:
    """Give an encoder of values that do not hold themselves: the same text as `json.dumps` with these settings and no spaces."""
    plain = json.JSONEncoder(ensure_ascii=ascii_only, allow_nan=allow_nan, check_circular=False, separators=(",", ":"))
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode  # an interpreter without the C encoder
    text = encoder.encode_basestring_ascii if ascii_only else encoder.encode_basestring
    parts = make(None, plain.default, text, None, ":", ",", False, False, allow_nan)
    join = "".join

    def encode(value: Any) -> str:
        return join(parts(value, 0))

    return encode
