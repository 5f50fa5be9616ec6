"""The platform's own texts: English message ids, and their Chinese in ``locale/zh_CN/LC_MESSAGES/django.po`` of each room.

The rooms' files are read and compiled together by a few lines of Python, into the home folder, at start-up and only when one has
changed: no gettext tools, no binary in the repository. `check_messages` proves that no text lacks its Chinese.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

# Django knows simplified Chinese as zh_Hans; files that people edit carry the older, better known name.
COMPILED = Path("zh_Hans/LC_MESSAGES/django.mo")
_CONTEXT = "\x04"
_CALLS = {"gettext", "gettext_lazy", "gettext_noop", "_", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}


class MessageFileError(Exception):
    """A .po file cannot be read; the text names file and line."""

    code = "web.message_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A message whose Chinese is missing or in doubt."""

    file: str
    line: int
    message: str
    what: str = "has no zh-CN text"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message!r} {self.what}"


def source_files() -> list[Path]:
    """List the .po files of all rooms, in a steady order."""
    return sorted(settings.SOURCE.glob("**/locale/zh_CN/LC_MESSAGES/django.po"))


def parse_po(content: str, file: str = "django.po") -> dict[str, list[str]]:
    """Read a .po file's translations: message id (with context and ``\\x04`` before it, if any) → its forms.

    Fuzzy entries and entries without text are left out. Raises `MessageFileError`.
    """
    found: dict[str, list[str]] = {}
    parts: dict[str, str] = {}
    current, fuzzy = "", False

    def close() -> None:
        nonlocal parts, fuzzy
        if "msgid" in parts and not fuzzy:
            forms = [parts[k] for k in sorted(parts) if k.startswith("msgstr")]
            key = parts["msgid"] if "msgctxt" not in parts else parts["msgctxt"] + _CONTEXT + parts["msgid"]
            if parts["msgid"] and all(forms) and forms:
                if key in found and found[key] != forms:
                    raise MessageFileError(f"{file}: {key!r} is translated twice, differently")
                found[key] = forms
                if "msgid_plural" in parts:
                    found[key + "\x00" + parts["msgid_plural"]] = forms
        parts, fuzzy = {}, False

    for number, raw in enumerate(content.splitlines(), 1):
        line = raw.strip()
        if line.startswith("#,") and "fuzzy" in line:
            close()
            fuzzy = True
        elif not line or line.startswith("#"):
            continue
        elif line.startswith('"'):
            parts[current] += _unquote(line, file, number)
        else:
            match = re.match(r"(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?)\s+(\".*\")$", line)
            if not match:
                raise MessageFileError(f"{file}:{number}: this is not a line of a .po file")
            current = match.group(1)
            if (current == "msgctxt" and parts) or (current == "msgid" and "msgid" in parts):
                was_fuzzy = fuzzy and not parts
                close()
                fuzzy = was_fuzzy
            parts[current] = _unquote(match.group(2), file, number)
    close()
    return found


def _unquote(quoted: str, file: str, number: int) -> str:
    try:
        value = ast.literal_eval(quoted)
    except (SyntaxError, ValueError) as exc:
        raise MessageFileError(f"{file}:{number}: the quotes do not close") from exc
    return str(value)


def compile_mo(messages: dict[str, list[str]]) -> bytes:
    """Give the binary catalogue (GNU .mo, UTF-8) of ``messages``; Chinese has one plural form."""
    header = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=1; plural=0;\nLanguage: zh_CN\n"
    pairs = {"": header}
    counted = {key.split("\x00")[0] for key in messages if "\x00" in key}
    for key, forms in messages.items():
        if key not in counted:  # a counted message is stored once, under both its ids
            pairs[key] = "\x00".join(forms)
    keys = sorted(pairs, key=lambda k: k.encode())
    ids, texts, offsets = b"", b"", []
    for key in keys:
        k, v = key.encode(), pairs[key].encode()
        offsets.append((len(ids), len(k), len(texts), len(v)))
        ids, texts = ids + k + b"\0", texts + v + b"\0"
    start = 7 * 4 + 16 * len(keys)
    table_k = [n for a, la, _, _ in offsets for n in (la, a + start)]
    table_v = [n for _, _, b, lb in offsets for n in (lb, b + start + len(ids))]
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + len(keys) * 8, 0, 0)
    return head + struct.pack(f"<{len(table_k) * 2}I", *table_k, *table_v) + ids + texts


def catalogue() -> dict[str, list[str]]:
    """Read all rooms' translations together. Where two rooms differ over one message the first in order of path speaks."""
    merged: dict[str, list[str]] = {}
    for path in source_files():
        found = parse_po(path.read_text(encoding="utf-8"), str(path.relative_to(settings.SOURCE)))
        merged = {**found, **merged}
    return merged


def conflicts() -> list[Missing]:
    """List the messages that two rooms translate differently; empty when all agree."""
    merged: dict[str, list[str]] = {}
    found: list[Missing] = []
    for path in source_files():
        name = str(path.relative_to(settings.SOURCE))
        for key, forms in parse_po(path.read_text(encoding="utf-8"), name).items():
            if merged.setdefault(key, forms) != forms:
                found.append(Missing(file=name, line=0, message=key, what="is translated differently in another room"))
    return found


def compile_if_changed() -> Path:
    """Compile the catalogue into the home folder unless the one there was made from these very files."""
    target: Path = settings.HOME / "locale" / COMPILED
    stamp = hashlib.sha256()
    for path in source_files():
        stamp.update(path.read_bytes())
    mark, digest = target.with_suffix(".sha256"), stamp.hexdigest()
    if target.exists() and mark.exists() and mark.read_text() == digest:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, content in ((target, compile_mo(catalogue())), (mark, digest.encode())):
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(content)
        part.replace(path)  # whole or not at all: another process may be reading
    return target


def messages_of_template(env: Any, path: Path) -> Iterator[tuple[int, str, str, tuple[str, ...]]]:
    """Give the messages of a Jinja2 template as (line, context, id, all strings); a counted one has both ids, NUL between."""
    for line, function, told in env.extract_translations(path.read_text(encoding="utf-8")):
        strings = tuple(s for s in (told if isinstance(told, tuple) else (told,)) if isinstance(s, str))
        if not strings:
            continue
        if function.startswith("p"):
            yield line, strings[0], strings[1], strings
        elif function.startswith("n") and len(strings) > 1:
            yield line, "", f"{strings[0]}\x00{strings[1]}", strings
        else:
            yield line, "", strings[0], strings


def messages_of_python(source: str) -> Iterator[tuple[int, str, str]]:
    """Give the messages of Python code as (line, context, id): gettext calls, and the texts of refusals."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            strings = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if name in _CALLS and strings and isinstance(node.args[0], ast.Constant):
                context = strings[0] if name.startswith("p") and len(strings) > 1 else ""
                counted = name.startswith("n") and len(strings) > 1
                yield (
                    node.lineno,
                    context,
                    strings[1] if context else "\x00".join(strings[:2] if counted else strings[:1]),
                )
        elif isinstance(node, ast.ClassDef) and any(_is_refusal(base) for base in node.bases):
            for field in node.body:
                target: ast.expr | None = field.target if isinstance(field, ast.AnnAssign) else None
                if isinstance(field, ast.Assign) and len(field.targets) == 1:
                    target = field.targets[0]
                told = getattr(getattr(field, "value", None), "value", None)
                if isinstance(target, ast.Name) and target.id in {"message", "mend"} and isinstance(told, str) and told:
                    yield field.lineno, "", told


def _is_refusal(base: ast.expr) -> bool:
    name = str(getattr(base, "id", None) or getattr(base, "attr", ""))
    return name == "Refusal" or name.endswith(("Refusal", "Refused"))


def check_messages() -> list[Missing]:
    """List every message of templates, code and refusals that has no Chinese, and those with two; empty when all is well."""
    from django.template import engines

    env: Any = engines["furong"].env  # type: ignore[attr-defined]  # the Jinja2 backend has it
    known = catalogue()
    missing = conflicts()

    def look(path: Path, line: int, context: str, message: str) -> None:
        key = context + _CONTEXT + message if context else message
        if key not in known:
            name = str(path.relative_to(settings.SOURCE))
            missing.append(Missing(file=name, line=line, message=message.replace("\x00", " / ")))

    for path in sorted(settings.SOURCE.glob("**/templates/jinja2/**/*.jinja")):
        for line, context, message, _ in messages_of_template(env, path):
            look(path, line, context, message)
    for path in sorted(settings.SOURCE.glob("**/*.py")):
        if "migrations" not in path.parts:
            for line, context, message in messages_of_python(path.read_text(encoding="utf-8")):
                look(path, line, context, message)
    return missing
