"""A person without script: reads pages, fills in forms, follows links, over plain HTTP.

`furong demo --check` and the fault tests walk the platform with it. What it can do, a browser with scripts switched off can do.
"""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import html


class VisitError(Exception):
    """The page was not what the visitor needed; the text says what was looked for and where."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its address, status, text and parsed tree."""

    url: str
    status: int
    text: str
    tree: Any
    headers: Mapping[str, str]
    body: bytes

    @property
    def title(self) -> str:
        return " ".join("".join(self.tree.xpath("//h1[1]//text()")).split()) if self.tree is not None else ""

    @property
    def words(self) -> str:
        """The page's visible text, white space folded."""
        if self.tree is None:
            return ""
        return " ".join(" ".join(self.tree.xpath("//body//text()[not(ancestor::script or ancestor::style)]")).split())

    def link(self, containing: str) -> str:
        """Give the address of the first link whose text or address holds ``containing``."""
        for anchor in self.tree.xpath("//a[@href]"):
            text = " ".join("".join(anchor.itertext()).split())
            if containing in text or containing in anchor.get("href"):
                return str(urllib.parse.urljoin(self.url, anchor.get("href")))
        raise VisitError(f"no link with {containing!r} on {_path(self.url)} ({self.title})")

    def has_link(self, containing: str) -> bool:
        try:
            self.link(containing)
        except VisitError:
            return False
        return True

    def form(self, containing: str = "") -> Any:
        """Give the form whose action, id, button or markup holds ``containing``."""
        forms = list(self.tree.xpath("//main//form") or self.tree.forms)
        for form in forms:
            if not containing or containing in html.tostring(form, encoding="unicode"):
                return form
        raise VisitError(f"no form with {containing!r} on {_path(self.url)} ({self.title})")

    @property
    def errors(self) -> list[str]:
        """What the page's error summary says."""
        found = (
            self.tree.xpath("//*[@role='alert'][contains(concat(' ', @class, ' '), ' summary ')]//li")
            if self.tree is not None
            else []
        )
        return [" ".join("".join(item.itertext()).split()) for item in found]


class Visitor:
    """One person's browser: its own cookies, at one address. Not for several threads at once."""

    def __init__(self, address: str, *, timeout_seconds: float = 30) -> None:
        self.address = address.rstrip("/") + "/"
        self._timeout = timeout_seconds
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> Page:
        """Read a page. Redirects are followed; an error page is given back like any other."""
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.address, path)))  # noqa: S310 - http only

    def submit(
        self,
        page: Page,
        values: Mapping[str, Any] | None = None,
        *,
        form: str = "",
        button: str | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> Page:
        """Fill in a form of ``page`` and send it.

        ``values`` are set by field name (a list ticks several); ``button`` picks the button whose text, name or value holds it;
        ``files`` maps a field to file name, bytes and media type. Raises `VisitError` for a field the form does not have.
        """
        found = page.form(form)
        pairs: list[tuple[str, str]] = []
        given = dict(values or {})
        present = {e.get("name") for e in found.xpath(".//input|.//select|.//textarea") if e.get("name")}
        if missing := set(given) - present:
            raise VisitError(
                f"the form on {_path(page.url)} has no field {', '.join(sorted(missing))}: {sorted(present)}"
            )
        for name, value in found.form_values():
            if name not in given:
                pairs.append((name, value))
        for name, value in given.items():
            pairs += [(name, str(v)) for v in (value if isinstance(value, list | tuple) else [value])]
        target = found.get("action") or page.url
        pressed = self._button(page, found, button)
        if pressed is not None:
            if pressed.get("name"):
                pairs.append((pressed.get("name"), pressed.get("value") or ""))
            target = pressed.get("formaction") or target
        url = urllib.parse.urljoin(page.url, target)
        if (found.get("method") or "get").lower() == "get":
            return self._open(urllib.request.Request(f"{url.split('?')[0]}?{urllib.parse.urlencode(pairs)}"))  # noqa: S310
        if files or "multipart" in (found.get("enctype") or ""):
            body, kind = _multipart(pairs, files or {})
        else:
            body, kind = urllib.parse.urlencode(pairs).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, "Referer": page.url, "Origin": self.address.rstrip("/")}
        return self._open(urllib.request.Request(url, data=body, headers=headers, method="POST"))  # noqa: S310

    def _button(self, page: Page, form: Any, wanted: str | None) -> Any:
        buttons = form.xpath(".//button[not(@type) or @type='submit']|.//input[@type='submit']")
        for button in buttons:
            words = f"{''.join(button.itertext())} {button.get('name')} {button.get('value')}"
            if wanted is None or wanted in words:
                return button
        if wanted is None:
            return None
        raise VisitError(f"no button {wanted!r} on {_path(page.url)} ({page.title})")

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return _page(answer.geturl(), answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _page(error.geturl(), error.code, dict(error.headers), error.read())


def _page(url: str, status: int, headers: dict[str, str], body: bytes) -> Page:
    kind = headers.get("Content-Type", headers.get("content-type", ""))
    text = body.decode("utf-8", "replace") if "text" in kind or "json" in kind else ""
    tree = (
        html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
        if "html" in kind and text
        else None
    )
    return Page(url, status, text, tree, headers, body)


def _path(url: str) -> str:
    return urllib.parse.urlsplit(url).path


def _multipart(pairs: list[tuple[str, str]], files: Mapping[str, tuple[str, bytes, str]]) -> tuple[bytes, str]:
    edge = "furong-visitor-edge"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in pairs
    ]
    for name, (file_name, data, kind) in files.items():
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        head += f"Content-Type: {kind}\r\n\r\n"
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"
