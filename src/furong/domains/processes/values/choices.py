"""Which fixed texts an expression compares a variable with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lark import Token, Tree

from furong.foundation.feel import FeelSyntaxError
from furong.foundation.feel.parser import parse

_BINDS = frozenset({"for_return", "quantified", "function", "filter", "context"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A variable, the texts it is compared with, and whether the whole expression holds exactly when it is one of them."""

    name: str
    texts: tuple[str, ...]
    is_all: bool = False


def asked_of(text: str) -> list[Asked]:
    """Give each comparison of a variable with fixed texts; none for what is no FEEL."""
    try:
        tree = parse(text)
    except FeelSyntaxError:
        return []
    whole = tree.children[0] if tree.children else tree
    return list(_asked(whole, whole))


def _asked(tree: Tree[Token] | Token, whole: Tree[Token] | Token) -> Iterator[Asked]:
    if not isinstance(tree, Tree) or tree.data in _BINDS:
        return  # in these a name may mean something else
    parts = [one for one in tree.children if isinstance(one, Tree)]
    if tree.data == "comparison" and len(parts) == 2:
        sign = next((str(one) for one in tree.children if isinstance(one, Token)), "")
        one, other = parts if parts[0].data == "name" else parts[::-1]
        if sign in {"=", "!="} and one.data == "name" and (texts := _texts(other)) and other.data == "literal":
            yield Asked(str(one.children[0]), texts, tree is whole and sign == "=")
            return
    texts = _texts(parts[1]) if tree.data in {"in_test", "in_tests"} and len(parts) == 2 else ()
    if texts and parts[0].data == "name":
        yield Asked(str(parts[0].children[0]), texts, tree is whole)
        return
    for one in parts:
        yield from _asked(one, whole)


def _texts(tree: Tree[Token]) -> tuple[str, ...]:
    """Give the texts of a literal or a list of literals; none when one of them is something else."""
    if tree.data == "literal":
        token = tree.children[0]
        return (str(token),) if isinstance(token, Token) and token.type == "STRING" else ()
    if tree.data not in {"list", "tests"}:
        return ()
    inner = [_texts(one) for one in tree.children if isinstance(one, Tree)]
    return tuple(text for texts in inner for text in texts) if all(inner) else ()
