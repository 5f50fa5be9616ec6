"""One index of tantivy on disk: opened to read, and by one process to write."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tantivy

from furong.domains.search.engine.asking import Asker
from furong.domains.search.engine.schema import TOKENS, Row, indexed, make_schema, stored, tokenizer
from furong.domains.search.errors import IndexMissingError, IndexWriteError, WriterBusyError

HEAP_BYTES, BULK_HEAP_BYTES = 64_000_000, 256_000_000  # of a thread: more memory, fewer small segments to merge


@contextmanager
def _native(wrong: type[Exception], what: str) -> Iterator[None]:
    """Turn what the engine raises, its panics among it, into this room's faults."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except WriterBusyError:
        raise
    except BaseException as error:
        if "LockBusy" in str(error):
            raise WriterBusyError("another process writes this index") from error
        raise wrong(what) from error


class Shelf:
    """The documents of one index. Reading is safe from many threads; writing is one thread's."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._writer: tantivy.IndexWriter | None = None
        self._lock = threading.Lock()
        if create and not (path / "meta.json").exists():
            with _native(IndexWriteError, "an index could not be made"):
                path.mkdir(parents=True, exist_ok=True)
                tantivy.Index(make_schema(), str(path))
        with _native(IndexMissingError, "an index could not be read"):
            self._index = tantivy.Index.open(str(path))
            self._index.register_tokenizer(TOKENS, tokenizer())
            self._index.config_reader("manual")
            self._seen = self.mark()
            self._index.reload()
            self._state: tuple[tantivy.Searcher, dict[tuple[str, str], int]] = (self._index.searcher(), {})
        self.schema: tantivy.Schema = self._index.schema
        self.asker = Asker(self.schema)

    def searcher(self) -> tantivy.Searcher:
        """Give the newest state that was committed. When it cannot be read, the last one that could."""
        return self.state()[0]

    def state(self) -> tuple[tantivy.Searcher, dict[tuple[str, str], int]]:
        """Give the newest state, and a place for what is learnt of its words while it lasts."""
        seen = self.mark()
        if seen != self._seen:
            with self._lock, suppress(Exception):
                if seen != self._seen:
                    self._index.reload()
                    self._state = (self._index.searcher(), {})
                    self._seen = seen
        return self._state

    def mark(self) -> tuple[int, int, int]:
        """Give what changes with every commit. One look at the disk."""
        try:
            found = os.stat(self.path / "meta.json")
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    def prove(self) -> None:
        """Read a document, a list of words and a fast field.

        Raises IndexMissingError when a file is broken.
        """
        with _native(IndexMissingError, "an index could not be read"):
            searcher = self.searcher()
            asked = tantivy.Query.boolean_query([(tantivy.Occur.Must, tantivy.Query.all_query())])
            for _, address in searcher.search(asked, 3).hits:
                stored(searcher.doc(address))
                searcher.fast_field_values("day", [address])
            for field in ("words", "pairs", "title_pairs"):
                searcher.search(tantivy.Query.term_query(self.schema, field, "\u5de5", "basic"), 1)

    def warm(self) -> int:
        """Read the files once, so that the first question does not wait for the disk. Returns bytes."""
        count = 0
        for path in self.path.iterdir():
            with suppress(OSError), path.open("rb", buffering=0) as file:
                while chunk := file.read(8_000_000):
                    count += len(chunk)
        return count

    def bytes(self) -> int:
        """Add up the files."""
        count = 0
        for path in self.path.iterdir():
            with suppress(OSError):
                count += path.stat().st_size
        return count

    # --- writing ----------------------------------------------------------------------------------------------------------

    def open_writer(self, *, threads: int = 1, heap_bytes: int = HEAP_BYTES) -> None:
        """Take the right to write. Raises `WriterBusyError` when another process has it.

        ``heap_bytes``: memory of each thread, before it writes a segment.
        """
        if self._writer is None:
            with _native(IndexWriteError, "the index cannot be written"):
                self._writer = self._index.writer(heap_bytes * threads, threads)

    def replace(self, row: Row, *, fresh: bool = False) -> None:
        """Take a document in. ``fresh`` says that its key is not there: then it is not looked for."""
        writer = self._held()
        with _native(IndexWriteError, "documents could not be written"):
            if not fresh:
                writer.delete_documents_by_term("key", row.key)
            writer.add_document(indexed(row))

    def remove(self, keys: Iterable[str]) -> None:
        """Take documents out."""
        writer = self._held()
        with _native(IndexWriteError, "documents could not be taken out"):
            for key in keys:
                writer.delete_documents_by_term("key", key)

    def commit(self) -> None:
        """Make changes durable. After a failure the writer is let go; what was committed before stands."""
        try:
            with _native(IndexWriteError, "the index could not be committed"):
                self._held().commit()
        except IndexWriteError:
            self.close()
            raise

    def finish_merges(self) -> None:
        """Wait until small segments have been merged, and let the writer go."""
        writer, self._writer = self._held(), None
        with _native(IndexWriteError, "segments could not be merged"):
            writer.wait_merging_threads()

    def close(self) -> None:
        """Let the writer go without what it has not committed."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(Exception):
                writer.rollback()
            del writer

    def _held(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self.open_writer()
        assert self._writer is not None  # noqa: S101 - open_writer sets it or raises
        return self._writer
