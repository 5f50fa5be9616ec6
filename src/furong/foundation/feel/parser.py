"""From text to lark's tree, with errors a person can mend something by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from furong.foundation.feel.errors import FeelSyntaxError
from furong.foundation.feel.lexer import FeelLexer, tokenize

__all__ = ["MOST_DEPTH", "Site", "cost_of", "parse", "site_of"]

MOST_DEPTH = 150

_WORDS = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "RPAR": ")", "RSQB": "]", "RBRACE": "}",
    "COMMA": "a comma", "THEN": "then", "ELSE": "else", "RETURN": "return", "SATISFIES": "satisfies", "KEY": "a key",
    "FOR_IN": "in", "RANGE_END": "the end of the range", "DOTS": "..", "_AND": "and", "TYPE": "a type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """Where in its text an expression stands; lines and columns begin at 1."""

    line: int
    column: int


@cache
def _lark() -> Lark:
    grammar = files("furong.foundation.feel").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer=FeelLexer,
        start=["expression_start", "unary_start"],
        maybe_placeholders=False,
    )


def parse(text: str, *, known_names: Collection[str] = (), unary: bool = False) -> Tree[Token]:
    """Parse ``text`` as an expression, or as unary tests with ``unary``.

    Raises ``FeelSyntaxError`` where it is not FEEL, or is nested deeper than 150. Costs time linear in the text.
    """
    tokens = tokenize(text, known_names=known_names, unary=unary)
    if not tokens:
        raise FeelSyntaxError(1, 1, "There is no expression here.")
    try:
        tree: Tree[Token] = _lark().parse(tokens, start="unary_start" if unary else "expression_start")
    except UnexpectedToken as fault:
        raise _explain(fault, tokens) from None
    except UnexpectedInput as fault:
        raise FeelSyntaxError(fault.line or 1, fault.column or 1, "This is not FEEL.") from None
    _check_depth(tree)
    return tree


def site_of(tree: Tree[Token]) -> Site:
    """Return where the first token of ``tree`` stands."""
    for token in tree.scan_values(lambda value: isinstance(value, Token)):
        return Site(token.line or 1, token.column or 1)
    return Site(1, 1)


def cost_of(tree: Tree[Token]) -> int:
    """Return the steps that one run of ``tree`` costs, loops aside: one for each sixteen parts."""
    parts = 0
    waiting: list[Tree[Token] | Token] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Tree):
            parts += 1
            waiting.extend(one.children)
    return 1 + parts // 16


def _explain(fault: UnexpectedToken, tokens: list[Token]) -> FeelSyntaxError:
    last = tokens[-1]
    wanted = sorted({_WORDS[one] for one in fault.expected if one in _WORDS}) if len(fault.expected) < 12 else []
    hint = f" Expected {' or '.join(wanted)}." if wanted else ""
    if fault.token.type == "$END":
        column = (last.column or 1) + max(1, (last.end_pos or 0) - (last.start_pos or 0))
        return FeelSyntaxError(last.line or 1, column, f"The expression ends too early.{hint}")
    return FeelSyntaxError(
        fault.token.line or 1, fault.token.column or 1, f"{str(fault.token)!r} is not expected here.{hint}"
    )


def _check_depth(tree: Tree[Token]) -> None:
    level: list[Tree[Token]] = [tree]
    for _ in range(MOST_DEPTH):
        level = [child for node in level for child in node.children if isinstance(child, Tree)]
        if not level:
            return
    raise FeelSyntaxError(1, 1, f"The expression is nested deeper than {MOST_DEPTH}.", "feel.too_large")
