"""Resources that the platform's own modules publish: ``catalogue/*.yaml`` beside the code that owns the data.

Such a file names its provider by a role (``provider: {role: population}``).
A pack says in ``pack.toml`` which department that is: ``[catalogue.providers]`` with ``population = {department = "police"}``.
What a pack does not bind is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps

from furong.domains.catalogue.resources.values import Provider
from furong.foundation.packs.values import BUILT_IN, Finding, Frame, PackFile, both, parse_yaml
from furong.foundation.packs.values.source import MapNode, ScalarNode, SourceRefused

FOLDER = "catalogue"


@cache
def _declared() -> tuple[tuple[str, Path, bytes, str], ...]:
    """Every file that a module of the platform declares: the module, its place, its bytes and the role it names."""
    found = []
    for config in apps.get_app_configs():
        if not config.name.startswith("furong."):
            continue
        for place in sorted((Path(config.path) / FOLDER).glob("*.yaml")):
            content = place.read_bytes()
            found.append((config.label, place, content, _role(content, place.name)))
    return tuple(found)


def _role(content: bytes, name: str) -> str:
    try:
        node = parse_yaml(content, file=name)
    except SourceRefused:
        return ""
    provider = node.entries.get("provider") if isinstance(node, MapNode) else None
    role = provider.entries.get("role") if isinstance(provider, MapNode) else None
    return role.text if isinstance(role, ScalarNode) else ""


def built_in_files(frame: Frame) -> Iterator[PackFile]:
    """Give the files of the platform's modules whose role the pack binds."""
    bound = providers_of(frame)
    for module, place, content, role in _declared():
        if role in bound:
            yield PackFile(
                kind="resource",
                code=place.stem,
                path=f"{BUILT_IN}{module}/{place.name}",
                shown=f"{BUILT_IN}{module}/{place.name}",
                content=content,
            )


def roles() -> frozenset[str]:
    """Give the roles that modules of the platform name."""
    return frozenset(role for *_, role in _declared())


def providers_of(frame: Frame) -> dict[str, Provider]:
    """Give the providers that ``[catalogue.providers]`` of ``pack.toml`` binds, by role."""
    table = frame.setting("catalogue", "providers", {})
    if not isinstance(table, Mapping):
        return {}
    found: dict[str, Provider] = {}
    for role, entry in table.items():
        if isinstance(entry, Mapping) and isinstance(entry.get("department"), str):
            found[role] = Provider(department=entry["department"], level=str(entry.get("level", "")))
    return found


def check_providers(frame: Frame, shown: str, departments: frozenset[str]) -> Iterator[Finding]:
    """Find roles that no module has, and bindings to departments that do not exist."""
    table: Any = frame.setting("catalogue", "providers", {})
    bound = providers_of(frame)
    for role in table if isinstance(table, Mapping) else ():
        if role in roles() and role in bound and bound[role].department in departments:
            continue
        known = role in roles()
        yield Finding(
            file=shown,
            line=1,
            element=f"catalogue.providers.{role}",
            rule="resource.provider_unknown",
            message=both(
                f"角色 {role} 没有绑定到已有的部门。", f"The role {role} is bound to no department that exists."
            )
            if known
            else both(f"平台没有角色 {role}。", f"The platform has no role {role}."),
            mend=both("请改正 pack.toml。", "Correct pack.toml."),
        )
