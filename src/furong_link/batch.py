"""The batch mode: files of any size from a provider's gateway, under a grant's fields and rows.

A consumer opens a transfer (``GET /SERVICE/DATASET/VERSION/FORMAT``, one call of the quota) and fetches its bytes by
offset (``…?transfer=ID&offset=N&length=M``), each piece a signed message with its digest and its record. A transfer stays
with the file it began with, and ends when the grant does. A provider sends files the same way, or has them published on
the gateway's own machine. What a grant's terms leave of a file is made once and kept.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import sqlite3
import sys
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from furong_link.batch_store import CHUNK, FORMATS, File, Place, Published, Store, Transfer, Upload
from furong_link.batch_terms import parquet_is_here, terms_digest, work_of
from furong_link.decision import Grant
from furong_link.errors import EvidenceError, Refusal
from furong_link.keys import SUITES
from furong_link.modes import Asked, Host
from furong_link.upstream import UpstreamReply

Answer = TypeVar("Answer")
JSON = "application/json"
MAX_SIZE = 1 << 44  # 16 TiB
AGAIN = 3  # how many times a transfer may fetch its file before another call of the quota is due
MOST_COUNTED = 100_000  # transfers whose bytes are counted in memory
_PATH = re.compile(r"/([a-z0-9][a-z0-9-]{0,63})(?:/(latest|[1-9][0-9]{0,11})/(csv|parquet))?")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,14}")
_ID = re.compile(r"[0-9a-f]{32}")


class Batch:
    """One service in batch mode. ``filters`` says how many files are filtered at once."""

    def __init__(self, service: str, *, filters: int = 1) -> None:
        self._service = service
        self._filters = asyncio.Semaphore(filters)
        self._making: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._failed: dict[tuple[str, str], Refusal] = {}
        self._fetched: Counter[str] = Counter()
        self._bytes = 0
        self._in_use = 0

    async def start(self, host: Host) -> None:
        """Open the store. Raises OSError."""
        self._host = host
        self._digest = SUITES[host.signer.algorithm].digest
        folder = host.folder / "batch" / self._service
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="batch")
        self.store = await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: Store(folder, algorithm=self._digest, clock=host.clock)
        )
        await asyncio.get_running_loop().run_in_executor(self._pool, self.store.sweep)

    async def stop(self) -> None:
        """Break off what is being filtered and close the store."""
        for task in self._making.values():
            task.cancel()
        if self._making:
            await asyncio.wait(self._making.values())
        while self._in_use:
            await asyncio.sleep(0.005)
        self._pool.shutdown(wait=True)
        self.store.close()

    def metrics(self) -> Mapping[str, float]:
        return {"batch_bytes_total": self._bytes, "batch_filters_running": len(self._making)}

    @asynccontextmanager
    async def _using(self) -> AsyncIterator[None]:
        self._in_use += 1
        try:
            yield
        except (sqlite3.Error, OSError, EvidenceError):
            raise Refusal("store_unusable") from None
        finally:
            self._in_use -= 1

    async def _do(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    # --- the consumer ----------------------------------------------------------------------------------------

    async def serve(self, asked: Asked) -> UpstreamReply:
        """List versions, open a transfer, or give a piece of one."""
        dataset, version, format_ = _path(asked)
        if asked.request.method != "GET":
            raise Refusal("not_found")
        async with self._using():
            if version is None or format_ is None:
                return await self._list(asked, dataset)
            given = _query(asked, {"since", "transfer", "offset", "length"})
            if "transfer" in given:
                return await self._piece(asked, dataset, format_, given)
            return await self._open(asked, dataset, version, format_, given)

    async def _list(self, asked: Asked, dataset: str) -> UpstreamReply:
        self._host.count(asked)
        found = await self._do(lambda: self.store.versions(dataset))
        asked.facts.update({"mode": "batch", "dataset": dataset})
        return _json({"dataset": dataset, "versions": _listed(found)})

    async def _open(
        self, asked: Asked, dataset: str, version: str, format_: str, given: Mapping[str, str]
    ) -> UpstreamReply:
        grant = asked.granted
        number = await self._do(lambda: self.store.latest(dataset, format_)) if version == "latest" else int(version)
        since = _whole(given, "since", 0)
        place = Place(dataset, number or 0, format_, 0)
        source = None
        if since:
            delta = Place(dataset, place.version, format_, since)
            source = await self._do(lambda: self.store.find(delta))
            place = delta if source is not None else place
        if source is None:
            whole = place
            source = await self._do(lambda: self.store.find(whole))
        if source is None:
            raise Refusal("version_unknown")
        file = await self._within_terms(grant, source, place)
        self._host.check_again(asked)
        self._host.count(asked)
        transfer = Transfer(
            secrets.token_hex(16),
            grant.id,
            place,
            file.digest,
            terms_digest(grant.fields, grant.rows),
            self._host.clock(),
        )
        await self._do(lambda: self.store.open_transfer(transfer))
        asked.facts.update({"mode": "batch", "dataset": dataset, "version": place.version, "format": format_})
        asked.facts.update({"transfer": transfer.id, "file": file.digest, "bytes": file.size})
        if place.base:
            asked.facts["since"] = place.base
        if file.rows is not None:
            asked.facts["rows"] = file.rows
        return _json(
            {
                "dataset": dataset,
                "version": place.version,
                "format": format_,
                "kind": "delta" if place.base else "whole",
                "since": place.base or None,
                "transfer": transfer.id,
                "size": file.size,
                "digest": file.field(self._digest),
                "chunk_bytes": CHUNK,
                "rows": file.rows,
                "media_type": FORMATS[format_],
            }
        )

    async def _within_terms(self, grant: Grant, source: File, place: Place) -> File:
        terms = terms_digest(grant.fields, grant.rows)
        if not terms:
            return source
        found = await self._do(lambda: self.store.filtered(source, terms))
        if found is not None:
            return found
        if place.format == "parquet" and not parquet_is_here():
            raise Refusal("provider_not_filterable", "This gateway has no library for Parquet.")
        job = (source.digest, terms)
        refusal = self._failed.pop(job, None)
        if refusal is not None:
            raise refusal
        task = self._making.get(job)
        if task is None:
            task = self._making[job] = asyncio.create_task(self._make(job, grant, source, place))
        # A small file is made while its caller waits.
        await asyncio.wait([task], timeout=2.0)
        found = await self._do(lambda: self.store.filtered(source, terms))
        if found is None:
            refusal = self._failed.pop(job, None)
            raise refusal or Refusal("file_preparing", retry_after_seconds=2)
        return found

    async def _make(self, job: tuple[str, str], grant: Grant, source: File, place: Place) -> None:
        draft = self.store.folder / "work" / f"terms-{secrets.token_hex(8)}"
        try:
            async with self._filters:
                clear = self.store.in_clear(source)
                path = await self._do(clear.__enter__)
                try:
                    rows = await self._filter(grant, path, place, draft)
                finally:
                    await self._do(lambda: clear.__exit__(None, None, None))
                await self._do(lambda: self.store.keep_filtered(source, job[1], draft, rows=rows))
        except Refusal as refusal:
            self._failed[job] = refusal
        except (OSError, ValueError, KeyError, sqlite3.Error, EvidenceError):
            self._failed[job] = Refusal("store_unusable")
        finally:
            draft.unlink(missing_ok=True)
            del self._making[job]

    async def _filter(self, grant: Grant, source: Path, place: Place, draft: Path) -> int:
        work = work_of(grant.fields, grant.rows) | {
            "source": str(source),
            "out": str(draft),
            "format": place.format,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "furong_link.batch_terms",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        try:
            out, _ = await process.communicate(json.dumps(work).encode())
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            raise Refusal("store_unusable", "The file could not be filtered.")
        found: dict[str, Any] = json.loads(out)
        if "code" in found:
            raise Refusal(found["code"], found["detail"])
        return int(found["rows"])

    async def _piece(self, asked: Asked, dataset: str, format_: str, given: Mapping[str, str]) -> UpstreamReply:
        grant = asked.granted
        if not _ID.fullmatch(given["transfer"]):
            raise Refusal("transfer_unknown")
        transfer = await self._do(lambda: self.store.transfer(given["transfer"]))
        if transfer.grant_id != grant.id or (transfer.place.dataset, transfer.place.format) != (dataset, format_):
            raise Refusal("transfer_unknown")
        if transfer.terms != terms_digest(grant.fields, grant.rows):
            raise Refusal("terms_changed")
        file = await self._do(lambda: self.store.file(transfer.digest))
        offset, length = _whole(given, "offset", 0), _whole(given, "length", CHUNK)
        if length == 0 or offset >= file.size:
            raise Refusal("wrong_offset", f"The file has {file.size} bytes.")
        length = min(length, file.size - offset, CHUNK)
        if self._fetched[transfer.id] + length > AGAIN * file.size + 4 * CHUNK:
            raise Refusal("quota_exhausted", "The transfer fetched its file several times; open another.")
        self._fetched[transfer.id] += length
        if len(self._fetched) > MOST_COUNTED:
            del self._fetched[next(iter(self._fetched))]
        content, digest = await self._do(lambda: self.store.read(file, offset=offset, length=length))
        self._host.check_again(asked)
        self._bytes += length
        asked.facts.update({"mode": "batch", "transfer": transfer.id, "offset": offset, "bytes": length})
        field = f"{self._digest}=:{b64encode(bytes.fromhex(digest)).decode()}:"
        return UpstreamReply(200, "application/octet-stream", content, field)

    # --- the provider ----------------------------------------------------------------------------------------

    async def provide(self, asked: Asked) -> UpstreamReply:
        """List versions, begin or finish an upload (POST), or take a piece of one (PUT)."""
        dataset, version, format_ = _path(asked)
        async with self._using():
            if version is None or format_ is None:
                if asked.request.method != "GET":
                    raise Refusal("not_found")
                return _json(
                    {"dataset": dataset, "versions": _listed(await self._do(lambda: self.store.versions(dataset)))}
                )
            if version == "latest":
                raise Refusal("version_unknown")
            given = _query(asked, {"since", "upload", "offset"})
            place = Place(dataset, int(version), format_, _whole(given, "since", 0))
            if place.base >= place.version:
                raise Refusal("malformed_request", "A delta is from an earlier version.")
            asked.facts.update({"mode": "batch", "dataset": dataset, "version": place.version, "format": format_})
            match asked.request.method, "upload" in given:
                case "POST", False:
                    return await self._begin(asked, place)
                case "PUT", True:
                    upload = await self._upload(given, place)
                    offset = _whole(given, "offset", 0)
                    asked.facts.update({"offset": offset, "bytes": len(asked.content)})
                    received = await self._do(
                        lambda: self.store.add_chunk(upload, offset=offset, content=asked.content)
                    )
                    return _json({"upload": upload.id, "received": received})
                case "POST", True:
                    upload = await self._upload(given, place)
                    file = await self._do(lambda: self.store.finish_upload(upload, now=self._host.clock()))
                    asked.facts.update({"file": file.digest, "bytes": file.size})
                    return _json(_published(place, file), status=201)
        raise Refusal("not_found")

    async def _upload(self, given: Mapping[str, str], place: Place) -> Upload:
        if not _ID.fullmatch(given["upload"]):
            raise Refusal("transfer_unknown")
        return await self._do(lambda: self.store.upload(given["upload"], place))

    async def _begin(self, asked: Asked, place: Place) -> UpstreamReply:
        try:
            said = json.loads(asked.content)
            size, field = said["size"], said["digest"]
            name, _, text = field.partition("=:")
            digest = b64decode(text.removesuffix(":"), validate=True).hex()
        except (ValueError, KeyError, TypeError, AttributeError, Base64Error):
            raise Refusal("malformed_request", "An upload says its size and its digest.") from None
        if isinstance(size, bool) or not isinstance(size, int) or size < 1 or name != self._digest or len(digest) != 64:
            raise Refusal("malformed_request", f"A size is a whole number of bytes, a digest is {self._digest}.")
        if size > MAX_SIZE:
            raise Refusal("content_too_large")
        known = await self._do(lambda: self.store.find(place))
        if known is not None:
            if known.digest != digest:
                raise Refusal("version_exists")
            return _json(_published(place, known))
        free = os.statvfs(self.store.folder)
        if size > free.f_bavail * free.f_frsize:
            raise Refusal("no_room")
        now = self._host.clock()
        upload, received = await self._do(lambda: self.store.open_upload(place, digest=digest, size=size, now=now))
        return _json({"upload": upload.id, "received": received, "chunk_bytes": CHUNK})


def _published(place: Place, file: File) -> dict[str, object]:
    return {"published": True, "version": place.version, "size": file.size, "received": file.size}


def _listed(found: list[Published]) -> list[dict[str, object]]:
    return [
        {
            "version": each.place.version,
            "format": each.place.format,
            "since": each.place.base or None,
            "published_at": each.published_at,
        }
        for each in found
    ]


def _path(asked: Asked) -> tuple[str, str | None, str | None]:
    found = _PATH.fullmatch(asked.target.path)
    if not found:
        raise Refusal("not_found")
    return found[1], found[2], found[3]


def _query(asked: Asked, allowed: set[str]) -> dict[str, str]:
    _, _, text = asked.target.raw.partition("?")
    try:
        pairs = parse_qsl(text, strict_parsing=True, max_num_fields=8) if text else []
    except ValueError:
        raise Refusal("malformed_request", "The query cannot be read.") from None
    found = dict(pairs)
    if len(found) != len(pairs) or not found.keys() <= allowed:
        raise Refusal("malformed_request", f"The query has {', '.join(sorted(allowed))}, each once.")
    return found


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise Refusal("malformed_request", f"{name} is a whole number.")
    return int(text)


def _json(found: object, *, status: int = 200) -> UpstreamReply:
    return UpstreamReply(status, JSON, json.dumps(found, separators=(",", ":")).encode())
