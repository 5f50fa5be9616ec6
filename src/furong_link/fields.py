"""Structured Fields (RFC 9651, without dates and display strings): a strict parser and its serialiser, pure.

The gateway's hot path matches the profile's one serialisation (`profile`); this parser says what is wrong with the rest,
and the tests hold the two against each other.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


class FieldError(ValueError):
    """The text is not the Structured Field it should be (RFC 9651 section 4.2)."""

    code = "field_malformed"


class Token(str):
    """A token (RFC 9651 section 3.3.4), told apart from a string."""

    __slots__ = ()


Bare = bool | int | Decimal | str | Token | bytes
Parameters = dict[str, Bare]


@dataclass(slots=True)
class Item:
    value: Bare
    parameters: Parameters = field(default_factory=dict)


@dataclass(slots=True)
class InnerList:
    items: list[Item]
    parameters: Parameters = field(default_factory=dict)


Member = Item | InnerList

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_NUMBER = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BYTES = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
_SPACES = re.compile(r" *")
_OWS = re.compile(r"[ \t]*")
_ESCAPED = re.compile(r'\\(["\\])')


class _Reader:
    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        if not text.isascii():
            raise FieldError("A structured field is ASCII.")
        self.text, self.at = text, 0

    def done(self) -> bool:
        return self.at >= len(self.text)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()

    def take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if not found:
            raise FieldError(f"{what} was expected at position {self.at}.")
        self.at = found.end()
        return found

    def key(self) -> str:
        return self.take(_KEY, "A key")[0]

    def bare(self) -> Bare:
        first = self.peek()
        if first == '"':
            return _ESCAPED.sub(r"\1", self.take(_STRING, "A string")[1])
        if first == ":":
            return _decoded(self.take(_BYTES, "A byte sequence")[1])
        if first == "?":
            if self.text[self.at + 1 : self.at + 2] not in ("0", "1"):
                raise FieldError(f"A boolean was expected at position {self.at}.")
            self.at += 2
            return self.text[self.at - 1] == "1"
        if first == "-" or first.isdigit():
            return self.number()
        return Token(self.take(_TOKEN, "An item")[0])

    def number(self) -> int | Decimal:
        found = self.take(_NUMBER, "A number")
        whole, fraction = found[1], found[2]
        if fraction is None:
            if len(whole) > 15 or self.peek() == ".":
                raise FieldError("An integer has at most 15 digits.")
            return int(found[0])
        if len(whole) > 12 or len(fraction) > 3:
            raise FieldError("A decimal has at most 12 digits before the point and 3 after it.")
        return Decimal(found[0])

    def parameters(self) -> Parameters:
        found: Parameters = {}
        while self.peek() == ";":
            self.at += 1
            self.skip(_SPACES)
            key = self.key()
            value: Bare = True
            if self.peek() == "=":
                self.at += 1
                value = self.bare()
            # The standard lets the last of two win; nothing honest repeats one, so nothing is lost by refusing.
            if key in found:
                raise FieldError(f"The parameter {key} is there twice.")
            found[key] = value
        return found

    def member(self) -> Member:
        if self.peek() != "(":
            return Item(self.bare(), self.parameters())
        self.at += 1
        items: list[Item] = []
        while True:
            self.skip(_SPACES)
            if self.peek() == ")":
                self.at += 1
                return InnerList(items, self.parameters())
            items.append(Item(self.bare(), self.parameters()))
            if self.peek() not in (" ", ")"):
                raise FieldError(f"A space or ) was expected at position {self.at}.")


def _decoded(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise FieldError("A byte sequence is not base64.") from error
    # Stray bits and missing padding have many texts for one value: a signature must have one.
    if base64.b64encode(found).decode() != text:
        raise FieldError("A byte sequence is not in its canonical base64.")
    return found


def parse_dictionary(text: str) -> dict[str, Member]:
    """Parse a dictionary; stricter than the standard in three points that only an attacker or a bug would meet: no
    key twice, canonical base64, no empty text.

    Raises FieldError with the position.
    """
    reader = _Reader(text.strip(" "))
    if reader.done():
        raise FieldError("The field is empty.")
    found: dict[str, Member] = {}
    while True:
        key = reader.key()
        if key in found:
            raise FieldError(f"The key {key} is there twice.")
        if reader.peek() == "=":
            reader.at += 1
            found[key] = reader.member()
        else:
            found[key] = Item(True, reader.parameters())
        reader.skip(_OWS)
        if reader.done():
            return found
        if reader.peek() != ",":
            raise FieldError(f"A comma was expected at position {reader.at}.")
        reader.at += 1
        reader.skip(_OWS)
        if reader.done():
            raise FieldError("The field ends with a comma.")


def serialise_dictionary(members: Mapping[str, Member]) -> str:
    """Give the one canonical text (RFC 9651 section 4.1). Raises FieldError for what has none."""
    parts = []
    for key, member in members.items():
        _check(_KEY, key, "key")
        if isinstance(member, Item) and member.value is True:
            parts.append(key + _parameters(member.parameters))
        else:
            parts.append(f"{key}={serialise_member(member)}")
    return ", ".join(parts)


def serialise_member(member: Member) -> str:
    """Give the canonical text of an item or an inner list with its parameters."""
    if isinstance(member, InnerList):
        inside = " ".join(serialise_member(item) for item in member.items)
        return f"({inside}){_parameters(member.parameters)}"
    return _bare(member.value) + _parameters(member.parameters)


def _check(pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise FieldError(f"This is no {what}.")


def _parameters(parameters: Parameters) -> str:
    text = ""
    for key, value in parameters.items():
        _check(_KEY, key, "key")
        text += f";{key}" if value is True else f";{key}={_bare(value)}"
    return text


def _bare(value: Bare) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        if abs(value) >= 10**15:
            raise FieldError("An integer has at most 15 digits.")
        return str(value)
    if isinstance(value, Decimal):
        whole = value.quantize(Decimal("0.001"))
        if abs(whole) >= 10**12:
            raise FieldError("A decimal has at most 12 digits before the point.")
        text = f"{whole:f}".rstrip("0")
        return text + "0" if text.endswith(".") else text
    if isinstance(value, bytes):
        return f":{base64.b64encode(value).decode()}:"
    if isinstance(value, Token):
        _check(_TOKEN, value, "token")
        return str(value)
    if not value.isascii() or not value.isprintable():
        raise FieldError("A string is printable ASCII.")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
