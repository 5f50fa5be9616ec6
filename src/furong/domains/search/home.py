"""Where the index lives: generations side by side, and a pointer to the one that serves.

A generation is a folder of its own. A rebuild fills a new one while the old one serves, then moves the
pointer: one rename, which a crash cannot leave half done. The one before is kept, for when the new one cannot be read.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from furong.domains.search.errors import IndexWriteError, WriterBusyError

POINTER, ABOUT = "current.json", "about.json"
KEPT = 2  # generations: the one that serves, and the one before


class Home:
    """The folder of the index."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the folder. Raises IndexWriteError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IndexWriteError("the folder of the search index cannot be made") from error

    def current(self) -> str | None:
        """Name the generation that serves; None when there is none, or the pointer cannot be read."""
        try:
            name = json.loads((self.path / POINTER).read_bytes())["generation"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return name if isinstance(name, str) and "/" not in name and name.startswith("g-") else None

    def pointer_mark(self) -> tuple[int, int]:
        """Give what changes when the pointer does. One look at the disk."""
        try:
            found = os.stat(self.path / POINTER)
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    def folder(self, generation: str) -> Path:
        """Give the folder of a generation."""
        return self.path / generation

    def generations(self) -> list[str]:
        """List the generations that are complete, the newest first."""
        try:
            found = [one.name for one in self.path.iterdir() if one.name.startswith("g-") and (one / ABOUT).exists()]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def begin(self, *, now: datetime) -> str:
        """Name a new generation."""
        self.prepare()
        return f"g-{now:%Y%m%dT%H%M%S%f}"

    def about(self, generation: str) -> dict[str, object]:
        """Read what a generation says of itself; empty for one that is not complete."""
        try:
            found = json.loads((self.folder(generation) / ABOUT).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def complete(self, generation: str, **about: object) -> None:
        """Call a generation complete: only such a one is ever served."""
        _write(self.folder(generation) / ABOUT, {**about, "generation": generation})

    def serve(self, generation: str) -> None:
        """Move the pointer. From then on readers open this generation."""
        _write(self.path / POINTER, {"generation": generation})

    def discard_old(self) -> None:
        """Throw away all but the generation that serves and the one before, and what was never completed."""
        serving, complete = self.current(), self.generations()
        kept = {serving, *[one for one in complete if one != serving][: KEPT - 1]}
        for folder in self.path.glob("g-*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def held(self, name: str, *, wait: bool = False) -> Iterator[None]:
        """Hold a lock of this folder: ``writer``, ``turn`` or ``rebuild``.

        It ends with the process at the latest.

        Raises WriterBusyError when another process holds it and ``wait`` is not asked for.
        """
        self.prepare()
        with (self.path / f"{name}.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                file.seek(0)
                raise WriterBusyError(
                    f"another process ({file.read(20).strip() or 'unknown'}) writes the search index; "
                    "end it first, or let it do its work"
                ) from error
            with suppress(OSError):
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
            yield

    def holder(self, name: str) -> str:
        """Say which process holds a lock, empty for none."""
        try:
            with (self.path / f"{name}.lock").open("r") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return file.read(20).strip() or "?"
        except OSError:
            return ""
        return ""


def _write(path: Path, value: dict[str, object]) -> None:
    """Replace a small file as a whole, durably."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise IndexWriteError("the folder of the search index cannot be written") from error
