"""Which services a gateway serves itself, from its gateway.toml.

[batch]
services = ["births-files"]

[events]
services = ["born"]

[events.retry]  # seconds; all optional
first_seconds = 1
most_seconds = 300
dead_after_seconds = 86400
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from furong_link.batch import Batch
from furong_link.errors import ConfigurationError
from furong_link.events import Events
from furong_link.modes import Mode
from furong_link.push import Timing


def read_modes(folder: Path) -> dict[str, Mode]:
    """Give the modes that a gateway's folder sets, by service. Raises ConfigurationError with what is wrong."""
    try:
        found: dict[str, Any] = tomllib.loads((folder / "gateway.toml").read_text())
        batch, events = _section(found, "batch"), _section(found, "events")
        timing = Timing(**events.get("retry", {}))
        files, streams = _names(batch), _names(events)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"gateway.toml: {type(error).__name__}: {error}") from error
    both = (set(files) & set(streams)) | ((set(files) | set(streams)) & found.get("upstreams", {}).keys())
    if both:
        raise ConfigurationError(f"gateway.toml: {min(both)} has more than one mode.")
    modes: dict[str, Mode] = {name: Batch(name) for name in files}
    return modes | {name: Events(name, timing=timing) for name in streams}


def _section(found: dict[str, Any], name: str) -> dict[str, Any]:
    section = found.get(name, {})
    if not isinstance(section, dict):
        raise ValueError(f"{name} is a section")
    return section


def _names(section: dict[str, Any]) -> list[str]:
    names = section.get("services", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name.isascii() and name for name in names):
        raise ValueError("services is a list of names")
    if any(name.startswith(".") or "/" in name for name in names):
        raise ValueError("a service's name has no slash and no dot in front")
    return names
