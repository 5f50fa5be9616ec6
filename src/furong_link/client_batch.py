"""Files for those who fetch and publish them: whatever cuts the way, both go on where they were.

found = download(link, "/birth-files/births", grant="births-monthly", to=Path("births.csv"), since=6)
found.kind      # "delta" when the provider has one from version 6, else "whole"
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import new as new_hash
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from furong_link.batch_store import CHUNK, FORMATS, HASHES
from furong_link.decision import PROVIDER
from furong_link.errors import AWAY, LinkError, UnverifiedReplyError
from furong_link.keys import SUITES
from furong_link.sealing import sync_folder

if TYPE_CHECKING:
    from furong_link.client import Answer, Link, Record

Found = TypeVar("Found")
SMALLEST = 64 * 1024
GIVE_UP_SECONDS = 86_400.0  # a link that is cut for hours is outlived
_WAITS = AWAY | {"file_preparing"}
_OVER = frozenset({"transfer_unknown", "terms_changed"})


class TransferError(LinkError):
    """A file could not be had whole: what arrived is not what the provider's gateway promised."""

    code = "transfer"


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that arrived whole. ``kind`` is whole or delta (from version ``since``); ``resumed_at`` is the byte from
    which this call went on; ``record`` is of the transfer's opening and ``last_record`` of its last piece.
    """

    path: Path
    version: int
    kind: str
    since: int | None
    size: int
    digest: str
    rows: int | None
    resumed_at: int
    record: Record | None
    last_record: Record | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was published. ``new`` is False when the same file was there already."""

    version: int
    size: int
    digest: str
    new: bool
    record: Record


@dataclass(slots=True)
class _Patience:
    """Tries again with longer and longer pauses, as long as there is progress."""

    sleep: Callable[[float], None]
    give_up_seconds: float
    waited: float = 0.0
    pause: float = 0.2
    cuts: int = 0

    def progress(self) -> None:
        self.waited, self.pause = 0.0, 0.2

    def wait(self, error: Exception, *, seconds: float | None = None) -> None:
        """Wait for the next try. Raises ``error`` when it has lasted too long."""
        if self.waited >= self.give_up_seconds:
            raise error
        pause = self.pause if seconds is None else seconds
        self.sleep(pause)
        self.waited += pause
        self.pause = min(self.pause * 2, 30.0)

    def keep_trying(self, ask: Callable[[], Found]) -> Found:
        """Ask until an answer comes. Raises as `Link.request` for what waiting cannot mend."""
        from furong_link.client import Refused, UnreachableError

        while True:
            try:
                return ask()
            except UnreachableError as error:
                self.cuts += 1
                self.wait(error)
            except Refused as refused:
                if refused.problem.code not in _WAITS:
                    raise
                self.wait(refused, seconds=refused.retry_after_seconds)
            except UnverifiedReplyError as error:
                # Bytes changed on the way are asked for again; a gateway that never signs is not believed.
                self.cuts += 1
                if self.cuts > 5:
                    raise
                self.wait(error)


def download(
    link: Link,
    dataset: str,
    *,
    grant: str,
    to: Path,
    version: int | None = None,
    format_: str = "csv",
    since: int | None = None,
    piece_bytes: int = CHUNK,
    give_up_seconds: float = GIVE_UP_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """Fetch a version of ``dataset`` (/SERVICE/DATASET) to ``to``: the newest, or ``version``; the delta from ``since``
    when the provider has one, else the whole.

    The bytes arrive in ``to`` with ``.part`` behind its name, each piece checked by the gateway's signature and digest,
    the whole by its own digest; then the file takes its name. After a cut, and when called again after the program ended,
    it goes on where it was. Memory: two pieces. Raises TransferError, and as `Link.request` for what waiting cannot mend.
    """
    from furong_link.client import Refused

    if format_ not in FORMATS:
        raise ValueError(f"A format is one of {', '.join(FORMATS)}.")
    patience = _Patience(sleep, give_up_seconds)
    wanted = f"{dataset}/{version or 'latest'}/{format_}"
    first = f"{wanted}?since={since}" if since else wanted
    state = _State(to, wanted=wanted, since=since)
    opening: Answer | None = None
    mended = False
    while True:
        if state.promise is None:
            opening = patience.keep_trying(lambda: link.get(first, grant=grant))
            state.begin(opening.json())
        try:
            found = _fetch(link, state, grant=grant, patience=patience, piece_bytes=piece_bytes)
        except Refused as refused:
            if refused.problem.code not in _OVER or opening is not None:
                raise
            state.promise = None  # a transfer from before this call: open another, and keep the bytes if they fit
            continue
        except TransferError:
            if mended:
                raise
            mended = True  # the part on this disk was damaged: once more from its beginning
            state.forget_bytes()
            continue
        resumed_at, last = found
        return state.finish(resumed_at=resumed_at, record=opening.record if opening else None, last=last)


class _State:
    """A transfer on its way, beside the part that arrived, so that the next call can go on."""

    def __init__(self, to: Path, *, wanted: str, since: int | None) -> None:
        self.to, self._wanted, self._since = to, wanted, since
        self.part = to.with_name(to.name + ".part")
        self._note = to.with_name(to.name + ".part.json")
        self.promise: dict[str, Any] | None = None
        self._known: str | None = None
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._note.read_text())
            if kept["wanted"] == wanted and kept["since"] == since:
                self.promise = _promise(kept["promise"])
                self._known = self.promise["digest"]

    def begin(self, found: Any) -> None:
        """Take the gateway's promise; bytes of another file are dropped."""
        promise = _promise(found)
        if self._known != promise["digest"]:
            self.forget_bytes()
        self.promise, self._known = promise, promise["digest"]
        draft = self._note.with_name(self._note.name + ".draft")
        draft.write_text(json.dumps({"wanted": self._wanted, "since": self._since, "promise": promise}))
        draft.replace(self._note)

    def forget_bytes(self) -> None:
        self.part.unlink(missing_ok=True)

    def finish(self, *, resumed_at: int, record: Record | None, last: Record | None) -> Downloaded:
        promise = self.promise
        assert promise is not None  # noqa: S101 - a file was fetched, so it was promised
        with self.part.open("rb") as found:
            os.fsync(found.fileno())
        self.part.replace(self.to)
        sync_folder(self.to.parent)
        self._note.unlink(missing_ok=True)
        return Downloaded(
            self.to,
            promise["version"],
            promise["kind"],
            promise["since"],
            promise["size"],
            promise["digest"],
            promise["rows"],
            resumed_at,
            record,
            last,
        )


def _promise(found: Any) -> dict[str, Any]:
    """Read what a gateway promised of a file. Raises TransferError."""
    try:
        name, _, _ = found["digest"].partition("=:")
        right = (
            isinstance(found["size"], int)
            and found["size"] >= 0
            and isinstance(found["version"], int)
            and name in HASHES
            and found["kind"] in ("whole", "delta")
            and len(found["transfer"]) == 32
            and found["transfer"].isalnum()
        )
        if not right:
            raise ValueError("types")
        return {name: found[name] for name in ("transfer", "size", "digest", "version", "kind", "since", "rows")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TransferError("The gateway did not say what file it gives.") from error


def _fetch(
    link: Link, state: _State, *, grant: str, patience: _Patience, piece_bytes: int
) -> tuple[int, Record | None]:
    promise = state.promise
    assert promise is not None  # noqa: S101 - the caller began it
    size, piece = promise["size"], min(piece_bytes, CHUNK)
    name, _, _ = promise["digest"].partition("=:")
    whole = new_hash(HASHES[name])
    service, _, rest = state._wanted.removeprefix("/").partition("/")
    dataset, _, format_ = rest.split("/")
    base = f"/{service}/{dataset}/{promise['version']}/{format_}"
    last: Record | None = None
    with state.part.open("a+b", buffering=0) as out, ThreadPoolExecutor(1) as beside:
        there = min(out.seek(0, os.SEEK_END), size)
        out.truncate(there)
        out.seek(0)
        while data := out.read(CHUNK):
            whole.update(data)
        # A file grows piece by piece; each goes to the disk and into the digest while the next one is fetched.
        at, pending = there, _done()
        cuts = patience.cuts

        def keep(content: bytes) -> None:
            whole.update(content)
            written = memoryview(content)
            while written:
                written = written[out.write(written) :]

        def ask(target: str) -> Answer:
            return patience.keep_trying(lambda: link.get(target, grant=grant))

        while at < size:
            length = min(piece, size - at)
            query = urlencode({"transfer": promise["transfer"], "offset": at, "length": length})
            answer = ask(f"{base}?{query}")
            if patience.cuts > cuts and piece > SMALLEST:
                cuts, piece = patience.cuts, max(SMALLEST, piece // 2)  # a way that is cut often gets smaller pieces
            if len(answer.content) != min(length, size - at):
                raise TransferError("A piece is longer or shorter than the file allows.")
            pending.result()
            pending = beside.submit(keep, answer.content)
            at += len(answer.content)
            last = answer.record
            patience.progress()
        pending.result()
    digest = f"{name}=:{b64encode(whole.digest()).decode()}:"
    if digest != promise["digest"]:
        raise TransferError("The whole file is not what its digest says.")
    return there, last


def _done() -> Future[None]:
    found: Future[None] = Future()
    found.set_result(None)
    return found


def publish(
    link: Link,
    service: str,
    dataset: str,
    *,
    version: int,
    file: Path,
    format_: str = "csv",
    since: int | None = None,
    piece_bytes: int = CHUNK,
    give_up_seconds: float = GIVE_UP_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Sent:
    """Publish a file as ``version`` of a data set at the provider's own gateway, or as the delta from ``since``.

    Goes on by itself after a cut, and when called again after the program ended. A version does not change: another file
    under the same number is refused. Raises as `Link.request` for what waiting cannot mend.
    """
    from furong_link.client import Refused

    if format_ not in FORMATS:
        raise ValueError(f"A format is one of {', '.join(FORMATS)}.")
    patience, cuts = _Patience(sleep, give_up_seconds), 0
    algorithm = SUITES[link.gateway_algorithm].digest
    digest, size = _digest_of(file, algorithm), file.stat().st_size
    target = f"/.furong/provide/{quote(service)}/{quote(dataset)}/{version}/{format_}"
    given: dict[str, str | int] = {"since": since} if since else {}
    said = {"size": size, "digest": digest}
    begin_at = f"{target}?{urlencode(given)}" if given else target

    def begin() -> Answer:
        return patience.keep_trying(lambda: link.post(begin_at, said, grant=PROVIDER))

    def send(content: bytes, at: int, upload: str) -> Answer:
        query = urlencode({**given, "upload": upload, "offset": at})
        return patience.keep_trying(
            lambda: link.request(
                "PUT", f"{target}?{query}", grant=PROVIDER, content=content, content_type="application/octet-stream"
            )
        )

    def end(upload: str) -> Answer:
        query = urlencode({**given, "upload": upload})
        return patience.keep_trying(lambda: link.post(f"{target}?{query}", {}, grant=PROVIDER))

    answer, new = begin(), False
    with file.open("rb") as source:
        while not answer.json().get("published"):
            found, new = answer.json(), True
            at = int(found["received"])
            try:
                if at >= size:
                    answer = end(str(found["upload"]))
                    continue
                source.seek(at)
                answer = send(source.read(min(piece_bytes, CHUNK)), at, str(found["upload"]))
                patience.progress()
            except Refused as refused:
                # A message arrived whose reply was lost: ask where it goes on, or whether all is done.
                if refused.problem.code not in ("wrong_offset", "transfer_unknown") or patience.cuts == cuts:
                    raise
                cuts, answer = patience.cuts, begin()
    return Sent(version, size, digest, new, answer.record)


def _digest_of(file: Path, algorithm: str) -> str:
    whole = new_hash(HASHES[algorithm])
    with file.open("rb") as source:
        while part := source.read(CHUNK):
            whole.update(part)
    return f"{algorithm}=:{b64encode(whole.digest()).decode()}:"
