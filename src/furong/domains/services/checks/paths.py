"""Which data elements a FEEL expression names: ``newborn.name = "x"`` names ``newborn.name``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lark import Token, Tree

from furong.foundation.feel import FeelSyntaxError
from furong.foundation.feel.parser import parse


@lru_cache(maxsize=4096)
def paths_of(text: str) -> frozenset[str]:
    """Give the longest dotted paths and the single names of an expression; names it binds itself (``for``) are in it too.

    Raises `FeelSyntaxError`.
    """
    return frozenset(_walk(parse(text)))


def _walk(tree: Tree[Token]) -> Iterator[str]:
    if tree.data in {"path", "name"} and (path := _path(tree)) is not None:
        yield path
        return
    for child in tree.children:
        if isinstance(child, Tree):
            yield from _walk(child)


def _path(tree: Tree[Token]) -> str | None:
    if tree.data == "name":
        return str(tree.children[0])
    first, last = tree.children[0], tree.children[-1]
    if tree.data != "path" or not isinstance(first, Tree) or not isinstance(last, Token):
        return None
    before = _path(first)
    return None if before is None else f"{before}.{last}"


def keys_of(text: str) -> list[str]:
    """List the keys of the context that an expression is; nothing when it is no context."""
    tree = parse(text)
    context = tree.children[0] if tree.children else None
    if not isinstance(context, Tree) or context.data != "context":
        return []
    return [str(entry.children[0]) for entry in context.children if isinstance(entry, Tree)]


_NEVER_BOOLEAN = frozenset({"arithmetic", "negation", "list", "context", "range", "function", "filter"})


def may_be_boolean(text: str, *, booleans: frozenset[str], others: frozenset[str]) -> bool:
    """Say whether an expression can be true or false at all; ``others`` are elements of other types than boolean.

    A sum, a list, a text or an element that holds a date never is. What a function gives is not looked into.
    """
    tree: Tree[Token] | Token = parse(text)
    while isinstance(tree, Tree) and tree.data in {"expression_start", "primary"}:
        inner = [c for c in tree.children if isinstance(c, Tree)]
        if len(inner) != 1:
            break
        tree = inner[0]
    if not isinstance(tree, Tree):
        return True
    if tree.data in {"path", "name"}:
        path = _path(tree)
        return path is None or path in booleans or path not in others
    if tree.data == "literal":
        return str(tree.children[0]) in {"true", "false", "null"}
    return tree.data not in _NEVER_BOOLEAN


def syntax_problem(text: str) -> str:
    """Give what is wrong with an expression in a sentence, or nothing."""
    try:
        paths_of(text)
    except FeelSyntaxError as exc:
        return str(exc)
    return ""


def unknown_elements(text: str, *, known: frozenset[str], roles: frozenset[str]) -> list[str]:
    """List the paths of an expression that begin like a data element (``newborn.…``) and are none of ``known``.

    ``roles`` are the first parts of all data elements. A path may stop short of an element (a whole ``newborn``) or go on
    into it.
    """
    found = []
    for path in sorted(paths_of(text)):
        if path.split(".")[0] not in roles:
            continue
        fits = any(code == path or code.startswith(f"{path}.") or path.startswith(f"{code}.") for code in known)
        if not fits:
            found.append(path)
    return found
