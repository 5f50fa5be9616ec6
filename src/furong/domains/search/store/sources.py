"""Where pages are imported from: a folder, or a ZIP or TAR archive of one, with a manifest beside the pages or apart.

An archive is never unpacked to disk. A path that leads out of it, a link and a device are notes, not files; a member that unpacks
to more than it says is stopped while it is read.
"""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from furong.domains.search.store.errors import ManifestRefused, SourceUnreadable
from furong.domains.search.store.values import MAX_FILE_BYTES, MAX_RATIO, Entry, Note, Reason

MANIFESTS = ("manifest.csv", "manifest.jsonl", "manifest.ndjson")
COLUMNS = [
    "path",
    "address",
    "title",
    "language",
    "department",
    "division",
    "published_on",
    "modified_on",
    "author",
    "column",
    "keywords",
    "charset",
    "kind",
]
_MAX_MANIFEST_BYTES = 1 << 30
_MAX_LINE = 20_000
_IGNORED = frozenset({"Thumbs.db", "desktop.ini", "robots.txt", "sitemap.xml"})


class Source(Protocol):
    """A place that holds files."""

    def list(self) -> Iterator[Entry | Note]:
        """List the files in it, and a note for each that cannot be taken. Each path once."""
        ...

    def read(self, path: str) -> bytes | Reason:
        """Give the bytes of a file that was listed just now, or why it cannot."""
        ...

    def manifest(self) -> tuple[str, IO[bytes]] | None:
        """Open the manifest that lies in it, if one does, and say its name."""
        ...


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a folder or an archive. Raises SourceUnreadable."""
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.is_file():
        raise SourceUnreadable
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _Zip(archive)
                return
        if tarfile.is_tarfile(path):
            yield _Tar(path)
            return
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as exc:
        raise SourceUnreadable from exc
    raise SourceUnreadable


def read_manifest(file: IO[bytes], *, name: str) -> dict[str, dict[str, str]]:
    """Give what a manifest says of each path: column to value, unknown columns left out.

    CSV with a first line of names, or JSON lines; UTF-8. Memory grows with its lines (about 500 B each). Raises ManifestRefused.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="strict", newline="")
    found: dict[str, dict[str, str]] = {}
    try:
        rows = _json_lines(text) if name.endswith((".jsonl", ".ndjson")) else _csv_lines(text)
        for line, row in rows:
            path = _normal(row.get("path", ""))
            if not path:
                raise ManifestRefused(line=line, why="no path, or one that leads out")
            if path in found:
                raise ManifestRefused(line=line, why="a path for the second time")
            found[path] = {key: value for key, value in row.items() if key != "path" and value}
    except UnicodeDecodeError as exc:
        raise ManifestRefused(line=len(found) + 1, why="not UTF-8") from exc
    except csv.Error as exc:
        raise ManifestRefused(line=len(found) + 2, why="no CSV") from exc
    finally:
        text.detach()
    return found


def _csv_lines(text: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(text)
    names = [str(one).strip().lower() for one in reader.fieldnames or ()]
    if "path" not in names:
        raise ManifestRefused(line=1, why="no column named path")
    reader.fieldnames = names
    for row in reader:
        yield reader.line_num, {key: (row.get(key) or "").strip() for key in COLUMNS}


def _json_lines(text: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, str]]]:
    number = 0
    while line := text.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise ManifestRefused(line=number, why="a line too long")
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise ManifestRefused(line=number, why="no JSON") from exc
        if not isinstance(row, dict):
            raise ManifestRefused(line=number, why="no JSON object")
        yield number, {key: _text(row.get(key)) for key in COLUMNS}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    return str(value).strip()


def _normal(path: str) -> str:
    """Give a path inside of a source in its one form; empty when it leads out or is none."""
    path = path.replace("\\", "/")
    if path.startswith("/") or (len(path) > 1 and path[1] == ":") or "\x00" in path or len(path) > 1000:
        return ""
    parts = [one for one in path.split("/") if one not in ("", ".")]
    return "" if ".." in parts or not parts else "/".join(parts)


def _is_ignored(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        parts[-1] in _IGNORED
        or path in MANIFESTS
        or any(one.startswith(".") or one == "__MACOSX" for one in parts)
        or parts[-1].endswith("~")
    )


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self) -> Iterator[Entry | Note]:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                inside = sorted(os.scandir(self._root / folder), key=lambda one: one.name)
            except OSError:
                yield Note(path=folder or ".", reason=Reason.DAMAGED)
                continue
            folders = []
            for one in inside:
                path = f"{folder}/{one.name}" if folder else one.name
                if not path.isprintable():
                    path = path.encode("utf-8", "replace").decode("utf-8", "replace")
                if _is_ignored(path):
                    continue
                if one.is_symlink():
                    yield Note(path=path, reason=Reason.LINK)
                elif one.is_dir(follow_symlinks=False):
                    folders.append(path)
                elif one.is_file(follow_symlinks=False):
                    yield Entry(path=path, size=one.stat(follow_symlinks=False).st_size)
                else:
                    yield Note(path=path, reason=Reason.LINK)
            waiting.extend(reversed(folders))

    def read(self, path: str) -> bytes | Reason:
        try:
            # A file that became a link meanwhile is not followed.
            handle = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return Reason.LINK
                return _bounded(file)
        except (OSError, ValueError):
            return Reason.DAMAGED

    def manifest(self) -> tuple[str, IO[bytes]] | None:
        for name in MANIFESTS:
            if (self._root / name).is_file():
                return name, (self._root / name).open("rb")
        return None


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo] = {}

    def list(self) -> Iterator[Entry | Note]:
        for one in self._archive.infolist():
            if one.is_dir():
                continue
            name = _zip_name(one)
            path = _normal(name)
            if not path:
                yield Note(path=name[:200], reason=Reason.PATH_OUTSIDE)
            elif _is_ignored(path) or path in self._members:
                continue
            elif stat.S_ISLNK(one.external_attr >> 16):
                yield Note(path=path, reason=Reason.LINK)
            elif one.flag_bits & 1:
                yield Note(path=path, reason=Reason.ENCRYPTED)
            elif one.file_size > 1_000_000 and one.file_size > MAX_RATIO * max(one.compress_size, 1):
                yield Note(path=path, reason=Reason.BOMB)
            else:
                self._members[path] = one
                yield Entry(path=path, size=one.file_size)

    def read(self, path: str) -> bytes | Reason:
        member = self._members[path]
        try:
            with self._archive.open(member) as file:
                data = _bounded(file)
        except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError, ValueError):
            return Reason.DAMAGED
        except Exception:  # noqa: BLE001 - zlib.error, lzma.LZMAError: each library raises its own
            return Reason.DAMAGED
        return data

    def manifest(self) -> tuple[str, IO[bytes]] | None:
        for one in self._archive.infolist():
            if _normal(one.filename) in MANIFESTS and one.file_size <= _MAX_MANIFEST_BYTES:
                return _normal(one.filename), self._archive.open(one)
        return None


def _zip_name(member: zipfile.ZipInfo) -> str:
    """Give a member's name; where it does not say UTF-8, Windows in China wrote it in GBK."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for name in ("utf-8", "gb18030"):
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    return member.filename


class _Tar:
    """A TAR archive, read from front to end: each file is read when it is listed, for a packed one cannot be gone back in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = ""
        self._data: bytes | Reason = b""

    def list(self) -> Iterator[Entry | Note]:
        seen: set[str] = set()
        with tarfile.open(self._path, "r|*") as archive:
            try:
                for one in archive:
                    if one.isdir():
                        continue
                    path = _normal(one.name)
                    if not path:
                        yield Note(path=one.name[:200], reason=Reason.PATH_OUTSIDE)
                    elif _is_ignored(path) or path in seen:
                        continue
                    elif not one.isfile():
                        yield Note(path=path, reason=Reason.LINK)
                    else:
                        seen.add(path)
                        self._at = path
                        file = archive.extractfile(one) if one.size <= MAX_FILE_BYTES else None
                        self._data = Reason.TOO_LARGE if file is None else _bounded(file)
                        yield Entry(path=path, size=one.size)
            except (tarfile.TarError, OSError, EOFError, ValueError) as exc:
                raise SourceUnreadable from exc
            except Exception as exc:
                if type(exc).__module__ in ("zlib", "lzma", "_lzma"):
                    raise SourceUnreadable from exc
                raise

    def read(self, path: str) -> bytes | Reason:
        if path != self._at:
            return Reason.MISSING
        return self._data

    def manifest(self) -> tuple[str, IO[bytes]] | None:
        # Only the front of a packed archive can be looked into cheaply; a manifest that comes with it comes first.
        try:
            with tarfile.open(self._path, "r|*") as archive:
                for index, one in enumerate(archive):
                    if _normal(one.name) in MANIFESTS and one.isfile() and one.size <= _MAX_MANIFEST_BYTES:
                        file = archive.extractfile(one)
                        return (_normal(one.name), io.BytesIO(file.read())) if file is not None else None
                    if index >= 20:
                        break
        except (tarfile.TarError, OSError, EOFError):
            return None
        return None


def _bounded(file: IO[bytes]) -> bytes | Reason:
    """Read a file to its end, and no further than is allowed, whatever it claims its size to be."""
    data = file.read(MAX_FILE_BYTES + 1)
    return Reason.TOO_LARGE if len(data) > MAX_FILE_BYTES else data
