"""Kinds of definitions, which rooms register, and a pack as it was read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from furong.foundation.packs.values.findings import Finding
from furong.foundation.packs.values.schema import Report, Shape
from furong.foundation.packs.values.source import SourceRefused, parse_yaml
from furong.foundation.packs.values.text import Text

YAML = "application/yaml"
# Paths of definitions that code brings along; they are released with a pack and never written into its folder.
BUILT_IN = "platform/"
XML = "application/xml"


def digest_of(content: bytes) -> str:
    """Give the address of a definition: SHA-256 of its bytes, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What ``pack.toml`` says: code and name, languages (the first is the pack's own), time zone, settings by room."""

    code: str
    name: Text
    languages: tuple[str, ...]
    time_zone: str
    in_force_from: date
    settings: Mapping[str, Any] = field(default_factory=dict)

    def setting(self, room: str, name: str, default: Any = None) -> Any:
        """Give ``[room] name`` of ``pack.toml``, or ``default``."""
        table = self.settings.get(room)
        return table.get(name, default) if isinstance(table, Mapping) else default


@dataclass(slots=True, kw_only=True)
class PackFile:
    """One file of a pack: which definition it holds, its bytes, and what reading gave (None when it could not be read)."""

    kind: str
    code: str
    path: str
    shown: str
    content: bytes
    media_type: str = YAML
    value: Any = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return digest_of(self.content)


@dataclass(slots=True, kw_only=True)
class Pack:
    """A pack that was read: its frame and its files, with ``findings`` about the pack as a whole."""

    frame: Frame
    files: list[PackFile]
    root: Path | None = None
    findings: list[Finding] = field(default_factory=list)

    def of(self, kind: str) -> dict[str, PackFile]:
        """Give the files of a kind by code, only those that could be read."""
        return {f.code: f for f in self.files if f.kind == kind and f.value is not None}

    def values(self, kind: str) -> dict[str, Any]:
        """Give what was read of a kind, by code."""
        return {f.code: f.value for f in self.files if f.kind == kind and f.value is not None}

    def knows(self, kind: str, code: str) -> bool:
        """Say whether the pack has a file for this definition, also one that could not be read."""
        return any(f.kind == kind and f.code == code for f in self.files)

    def find(self, kind: str, code: str) -> PackFile | None:
        return next((f for f in self.files if f.kind == kind and f.code == code and f.value is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportContext:
    """What an importer gets: who imports, when, and the whole pack (which has no errors).

    ``store`` keeps bytes of a media type as an immutable definition and gives its digest; ``store_all`` keeps many at once.
    """

    actor: Any
    now: datetime
    pack: Pack
    store: Callable[[bytes, str], str]
    store_all: Callable[[Iterable[tuple[bytes, str]]], None]


Parse = Callable[[bytes, str, Frame], tuple[Any, list[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of definition is found, read, checked and imported.

    ``folder/CODE.yaml`` when ``file`` is empty, ``folder/CODE/file`` otherwise, and ``file`` at the pack's top when ``folder`` is
    empty. ``parse`` gives the value and findings. ``cross_check`` sees the whole pack. ``importer`` writes the room's own tables,
    in the import's transaction, in the order of ``order``; it must be repeatable. With ``on_publish`` it also runs after a
    definition was published from the workbench.

    ``group_of`` makes it ``folder/GROUP/CODE.yaml``; the value says its group (empty: any). For thousands of files.
    ``suffix`` is that of the files (several kinds may share a folder by it).
    ``alone_in``: a definition that needs no other file may stand as ``folder/GROUP/CODE.yaml`` instead; the value says its group.
    ``built_in`` gives definitions that code brings along for a frame; a pack's own file of the same code replaces one.
    """

    name: str
    folder: str
    parse: Parse
    file: str = ""
    media_type: str = YAML
    cross_check: Callable[[Pack], Iterable[Finding]] | None = None
    importer: Callable[[ImportContext], None] | None = None
    in_force_from: Callable[[Any], date | None] | None = None
    on_publish: bool = False
    order: int = 100
    group_of: Callable[[Any], str] | None = None
    built_in: Callable[[Frame], Iterable[PackFile]] | None = None
    suffix: str = ".yaml"
    alone_in: Callable[[Any], str] | None = None

    def path_of(self, code: str, value: Any) -> str:
        """Give where the file of a definition stands in a pack."""
        if not self.folder:
            return self.file
        if self.group_of is not None:
            return f"{self.folder}/{(value is not None and self.group_of(value)) or 'other'}/{code}{self.suffix}"
        return f"{self.folder}/{code}/{self.file}" if self.file else f"{self.folder}/{code}{self.suffix}"


_KINDS: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Make a kind known to the checker and the importer; a second registration replaces the first."""
    _KINDS[kind.name] = kind


def kinds() -> list[Kind]:
    """List the registered kinds in the order in which they are imported."""
    return sorted(_KINDS.values(), key=lambda kind: (kind.order, kind.name))


def kind_named(name: str) -> Kind | None:
    return _KINDS.get(name)


def yaml_parse(shape: Shape, build: Callable[[Any, Report], Any] | None = None) -> Parse:
    """Make a ``parse`` for a YAML kind of a shape; ``build`` may turn the `Parsed` into a room's own value.

    A file with errors has no value, so that the other files are checked without it.
    """

    def parse(content: bytes, file: str, frame: Frame) -> tuple[Any, list[Finding]]:
        report = Report(file, frame.languages)
        try:
            node = parse_yaml(content, file=file)
        except SourceRefused as refused:
            return None, list(refused.findings)
        value = shape.read(node, report, "")
        if report.errors:
            return None, report.findings
        if value is not None and build is not None:
            value = build(value, report)
        return value, report.findings

    return parse
