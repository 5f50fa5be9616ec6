"""FEEL's words and signs, with everything settled that a grammar of one token's look-ahead cannot settle.

Names may have several words (``Monthly Salary``): in FEEL no two names ever stand side by side, so neighbouring words
are one name; and names that hold signs or keywords (``date and time``, ``profit-loss``) are found when they are
known. Brackets around ``..`` become range brackets, words before a colon become keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Any

from lark import Token
from lark.lexer import Lexer

from furong.foundation.feel.errors import FeelSyntaxError

__all__ = ["MOST_CHARACTERS", "FeelLexer", "tokenize"]

MOST_CHARACTERS = 50_000
MOST_BRACKETS = 60

_KEYWORDS = {
    "if": "IF", "then": "THEN", "else": "ELSE", "for": "FOR", "return": "RETURN", "in": "IN", "some": "SOME",
    "every": "EVERY", "satisfies": "SATISFIES", "and": "_AND", "or": "_OR", "between": "BETWEEN", "true": "TRUE",
    "false": "FALSE", "null": "NULL", "function": "FUNCTION", "external": "EXTERNAL", "instance": "INSTANCE",
}  # fmt: skip
_SIGNS = {
    "<=": "COMPARE", ">=": "COMPARE", "!=": "COMPARE", "=": "COMPARE", "<": "COMPARE", ">": "COMPARE", "+": "PLUS",
    "-": "MINUS", "–": "MINUS", "**": "POWER", "*": "TIMES", "/": "DIVIDE", "(": "LPAR", ")": "RPAR", "[": "LSQB",
    "]": "RSQB", "{": "LBRACE", "}": "RBRACE", ",": "COMMA", "..": "DOTS", ".": "DOT", ":": "COLON", "@": "AT",
}  # fmt: skip
_SPACE = re.compile(r"(?:[\s\ufeff]|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NUMBER = re.compile(r"(?:[0-9]+(?:\.(?!\.)[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
# Rules 28 and 29 of the grammar (10.3.1.2), but for the full-width signs, which are taken for slips of the hand.
_WIDE = "\u200c\u200d\u2070-\u218f\u3005-\u3007\u3021-\u302f\U00010000-\U000effff"
_WORD = re.compile(rf"[?\w{_WIDE}][\w'·\u203f\u2040{_WIDE}]*")
_SIGN = re.compile(r"\.\.|\*\*|[<>!]=|[-–=<>+*/()\[\]{},.:@]")
_DUNDER = re.compile(r"__\w*__|__\w+")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{6}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'"}
_FULL_WIDTH = dict(zip("（）【】｛｝，：＝＜＞＋－＊／“”。；", '()[]{},:=<>+-*/"".;', strict=True))
# Words of Python that somebody may try; alone they are ordinary names.
_PYTHON_WORDS = frozenset(
    ("import", "lambda", "def", "class", "exec", "eval", "from", "del", "global", "with", "async")
)
# Before one of these an operand must follow, so "]" there opens a range.
_OPENING = frozenset(
    (
        *("COMMA", "LPAR", "IN_LPAR", "LBRACE", "KEY", "COMPARE", "PLUS", "MINUS", "TIMES", "DIVIDE", "POWER", "_AND"),
        *("_OR", "IN", "FOR_IN", "IF", "THEN", "ELSE", "RETURN", "SATISFIES", "BETWEEN", "DOTS", "ITER_DOTS"),
        *("RANGE_START", "NOT_TESTS"),
    )
)
_OPERAND_END = frozenset(
    ("NAME", "NUMBER", "STRING", "AT_STRING", "RPAR", "RSQB", "RBRACE", "RANGE_END", "TRUE", "FALSE", "NULL", "TYPE")
)


class FeelLexer(Lexer):
    """Hands lark the tokens that ``tokenize`` made."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, data: Any, parser_state: Any = None) -> Iterator[Token]:
        """Yield the tokens."""
        return iter(data)


def tokenize(text: str, *, known_names: Collection[str] = (), unary: bool = False) -> list[Token]:
    """Turn ``text`` into tokens for the grammar.

    ``known_names`` are names that hold spaces or signs; ``unary`` is for the cells of decision tables. Raises
    ``FeelSyntaxError``.
    """
    if len(text) > MOST_CHARACTERS:
        raise FeelSyntaxError(1, 1, f"The text is longer than {MOST_CHARACTERS} characters.", "feel.too_large")
    tokens = _Scanner(text, known_names).scan()
    tokens = _types(tokens, text)
    tokens = _keys(tokens)
    return _brackets(tokens, unary)


def unescape(raw: str, line: int, column: int) -> str:
    """Undo the escapes of a string literal without its quotes."""

    def one(match: re.Match[str]) -> str:
        found = match.group(1)
        if found[0] in "uU" and len(found) > 1:
            point = int(found[1:], 16)
            if point > 0x10FFFF:
                raise FeelSyntaxError(line, column, "The escape names no character.")
            return chr(point)
        # What is no escape stays as it is, so that patterns such as "\\d+" can be written without doubling.
        return _ESCAPES.get(found, match.group())

    if "\\" not in raw:
        return raw
    # A pair of surrogate escapes is one character.
    joined = _ESCAPE.sub(one, raw)
    try:
        return joined.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise FeelSyntaxError(line, column, "The escapes hold half of a character.") from None


def _token(kind: str, value: str, at: Token) -> Token:
    return Token(
        kind, value, start_pos=at.start_pos, line=at.line, column=at.column, end_line=at.end_line,
        end_column=at.end_column, end_pos=at.end_pos,
    )  # fmt: skip


def _fail(token: Token, message: str, code: str = "feel.syntax") -> FeelSyntaxError:
    return FeelSyntaxError(token.line or 1, token.column or 1, message, code)


class _Scanner:
    """The first pass: characters to words and signs."""

    def __init__(self, text: str, known_names: Collection[str]) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.line_start = 0
        self.known = _by_first_word((*known_names, *_SPACED_TYPES))

    def here(self, kind: str, value: str, end: int) -> Token:
        return Token(
            kind, value, start_pos=self.at, line=self.line, column=self.at - self.line_start + 1, end_pos=end,
            end_line=self.line, end_column=end - self.line_start + 1,
        )  # fmt: skip

    def fail(self, message: str, code: str = "feel.syntax") -> FeelSyntaxError:
        return FeelSyntaxError(self.line, self.at - self.line_start + 1, message, code)

    def skip(self, end: int) -> None:
        breaks = self.text.count("\n", self.at, end)
        if breaks:
            self.line += breaks
            self.line_start = self.text.rfind("\n", self.at, end) + 1
        self.at = end

    def scan(self) -> list[Token]:
        tokens: list[Token] = []
        text, size = self.text, len(self.text)
        while self.at < size:
            space = _SPACE.match(text, self.at)
            if space:
                self.skip(space.end())
                continue
            token = self.next(tokens)
            tokens.append(token)
            self.skip(token.end_pos or size)
        return tokens

    def next(self, before: list[Token]) -> Token:
        text = self.text
        char = text[self.at]
        if char == '"':
            match = _STRING.match(text, self.at)
            if not match:
                raise self.fail("The string has no closing quote on its line.")
            raw = match.group()[1:-1]
            value = unescape(raw, self.line, self.at - self.line_start + 1)
            if before and before[-1].type == "AT" and before[-1].end_pos == self.at:
                at = before.pop()
                return Token(
                    "AT_STRING", value, start_pos=at.start_pos, line=at.line, column=at.column, end_pos=match.end(),
                    end_line=self.line,
                )  # fmt: skip
            return self.here("STRING", value, match.end())
        number = _NUMBER.match(text, self.at)
        if number and not (char == "." and text.startswith("..", self.at)):
            after_dot = before and before[-1].type == "DOT"
            if after_dot and before[-1].end_pos == self.at:
                raise self.fail("A name does not begin with a digit.")
            end = number.end()
            if end < len(text) and (text[end].isalpha() or text[end] == "_"):
                raise self.fail("A name does not begin with a digit.")
            return self.here("NUMBER", number.group(), end)
        word = _WORD.match(text, self.at)
        if word:
            return self.word(word.group(), before)
        sign = _SIGN.match(text, self.at)
        if sign:
            return self.here(_SIGNS[sign.group()], sign.group(), sign.end())
        if char in _FULL_WIDTH:
            raise self.fail(f"{char} is a full-width sign; FEEL writes {_FULL_WIDTH[char]}.")
        raise self.fail(f"The character {char!r} has no meaning in FEEL.")

    def word(self, word: str, before: list[Token]) -> Token:
        if _DUNDER.search(word):
            message = "Names with two leading underscores are not FEEL; an expression cannot reach into the program."
            raise self.fail(message, "feel.not_feel")
        after_dot = bool(before) and before[-1].type == "DOT"
        for name, pattern in self.known.get(word, ()):
            match = pattern.match(self.text, self.at)
            if match:
                return self.here("NAME", name, match.end())
        if word in _KEYWORDS and not after_dot:
            end = self.at + len(word)
            if word == "instance":
                following = re.compile(r"\s+of\b").match(self.text, end)
                if not following:
                    return self.joined(word, before)
                return self.here("INSTANCE_OF", "instance of", following.end())
            return self.here(_KEYWORDS[word], word, end)
        return self.joined(word, before)

    def joined(self, word: str, before: list[Token]) -> Token:
        """Take the words that follow on the same line too, up to a keyword, a sign or a known name."""
        end = self.at + len(word)
        words = [word]
        while True:
            match = re.compile(r"[ \t\u00a0]+").match(self.text, end)
            following = _WORD.match(self.text, match.end()) if match else None
            if following is None or following.group() in _KEYWORDS:
                break
            if _DUNDER.search(following.group()):
                break
            words.append(following.group())
            end = following.end()
        if len(words) > 1 and words[0] in _PYTHON_WORDS:
            message = f"{words[0]!r} is Python, not FEEL; an expression cannot reach into the program."
            raise self.fail(message, "feel.not_feel")
        return self.here("NAME", " ".join(words), end)


# The only types, functions and properties of FEEL whose names hold a keyword; other spaces join by themselves.
_SPACED_TYPES = ("date and time", "days and time duration", "years and months duration")


def _by_first_word(names: Iterable[str]) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name in sorted(set(names), key=len, reverse=True):
        first = _WORD.match(name)
        if first is None or first.group() == name:
            continue
        parts = re.findall(r"\w+|[^\w\s]", name)
        pattern = re.compile(r"\s*".join(re.escape(part) for part in parts) + r"(?!\w)")
        if " " in name:
            spaced = [re.escape(part) for part in name.split()]
            pattern = re.compile(r"\s+".join(spaced) + r"(?!\w)")
        found.setdefault(first.group(), []).append((name, pattern))
    return found


def _types(tokens: list[Token], text: str) -> list[Token]:
    """Make one token of each type after ``instance of`` or in a parameter list."""
    out: list[Token] = []
    i = 0
    in_parameters = 0
    while i < len(tokens):
        token = tokens[i]
        if token.type == "FUNCTION":
            in_parameters = 1 if i + 1 < len(tokens) and tokens[i + 1].type == "LPAR" else 0
        elif in_parameters and token.type == "RPAR":
            in_parameters = 0
        wanted = token.type == "INSTANCE_OF" or (in_parameters and token.type == "COLON")
        out.append(token)
        i += 1
        if not wanted:
            continue
        if i >= len(tokens) or tokens[i].type not in ("NAME", "NULL", "FUNCTION"):
            raise _fail(tokens[i] if i < len(tokens) else token, "A type must follow.")
        start, depth = i, 0
        i += 1
        while i < len(tokens):
            found = tokens[i]
            if found == "<" and (depth or str(tokens[i - 1]) in ("list", "context", "range", "function")):
                depth += 1
            elif found == ">" and depth:
                depth -= 1
            elif not depth:
                # A function's type goes on behind its parameters: function<number> -> string.
                arrow = found in ("-", ">") or (found.type == "NAME" and tokens[i - 1] == ">")
                if not arrow or str(tokens[start]) != "function":
                    break
            i += 1
        begin, end = tokens[start].start_pos or 0, tokens[i - 1].end_pos or 0
        out.append(_token("TYPE", " ".join(text[begin:end].split()), tokens[start]))
    return out


def _keys(tokens: list[Token]) -> list[Token]:
    """Turn a name or string and its colon into a key."""
    out: list[Token] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        starts = bool(out) and out[-1].type in ("LBRACE", "COMMA", "LPAR")
        if starts and token.type not in ("NUMBER", "AT_STRING"):
            # A key may hold keywords and a few signs: {profit-loss: 1, time in force: 2}.
            end = i
            while end < len(tokens) and (tokens[end].type in _KEY_PARTS or (end == i and tokens[end].type == "STRING")):
                end += 1
            if i < end < len(tokens) and tokens[end].type == "COLON" and end - i <= 12:
                parts = tokens[i:end]
                value = str(parts[0])
                for previous, part in pairwise(parts):
                    value += ("" if previous.end_pos == part.start_pos else " ") + str(part)
                out.append(_token("KEY", value, token))
                i = end + 1
                continue
        if token.type == "COLON":
            raise _fail(token, "A colon stands only after the key of a context or a named argument.")
        out.append(token)
        i += 1
    return out


_KEY_PARTS = frozenset(("NAME", "PLUS", "MINUS", "TIMES", "DIVIDE", "DOT", "NUMBER", *_KEYWORDS.values()))


class _Level:
    """An open bracket: where it stands, whether ``..`` was seen in it, and which ``for`` and ``some`` are open."""

    __slots__ = ("dots", "iterators", "opener", "place")

    def __init__(self, opener: str, place: int) -> None:
        self.opener = opener
        self.place = place
        self.dots = False
        self.iterators: list[bool] = []  # for each open for/some/every: does its next "in" introduce an iterator


def _brackets(tokens: list[Token], unary: bool) -> list[Token]:
    out: list[Token] = []
    levels = [_Level("", -1)]
    closes = {"LPAR": "RPAR", "IN_LPAR": "RPAR", "NOT_TESTS": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
    if unary and len(tokens) == 1 and tokens[0].type == "MINUS":
        return [_token("ANY", "-", tokens[0])]
    negated = unary and _is_negated(tokens)
    for i, token in enumerate(tokens):
        found = token.type
        level = levels[-1]
        before = out[-1].type if out else ""
        if negated and i == 0:
            continue
        if found in ("LPAR", "LSQB", "LBRACE"):
            if found == "LSQB" and level.dots and level.opener != "LBRACE" and _closes_range(tokens, i, before):
                _close_range(out, levels, token)
                continue
            if negated and i == 1:
                found = "NOT_TESTS"
            elif found == "LPAR" and before == "IN":
                found = "IN_LPAR"
            levels.append(_Level(found, len(out)))
            if len(levels) > MOST_BRACKETS:
                raise _fail(token, f"Brackets are nested deeper than {MOST_BRACKETS}.", "feel.too_large")
            out.append(_token(found, str(token), token))
        elif found == "RSQB" and level.opener != "LSQB" and (before in _OPENING or not out) and not level.dots:
            levels.append(_Level("RSQB", len(out)))
            out.append(token)
        elif found in ("RPAR", "RSQB", "RBRACE"):
            if level.dots:
                if found == "RBRACE":
                    raise _fail(token, "A range ends with ), ] or [.")
                _close_range(out, levels, token)
                continue
            if closes.get(level.opener) != found:
                raise _fail(token, f"The bracket {token} closes nothing that is open.")
            levels.pop()
            out.append(token)
        elif found == "DOTS":
            if level.iterators and not level.iterators[-1]:
                out.append(_token("ITER_DOTS", "..", token))
                continue
            if level.opener not in ("LPAR", "IN_LPAR", "LSQB", "RSQB") or level.dots:
                raise _fail(token, "A range stands in brackets: [1..5], (1..5), ]1..5[.")
            level.dots = True
            out.append(token)
        elif found in ("FOR", "SOME", "EVERY"):
            level.iterators.append(True)
            out.append(token)
        elif found in ("RETURN", "SATISFIES"):
            if not level.iterators:
                raise _fail(token, f"There is no for, some or every before {token}.")
            level.iterators.pop()
            out.append(token)
        elif found == "COMMA":
            if level.iterators:
                level.iterators[-1] = True
            out.append(token)
        elif found == "IN" and level.iterators and level.iterators[-1]:
            level.iterators[-1] = False
            out.append(_token("FOR_IN", "in", token))
        elif found == "EXTERNAL":
            raise _fail(token, "External functions (Java, PMML) are not run here.", "feel.unsupported")
        elif found == "AT":
            raise _fail(token, 'After @ comes a string: @"2024-02-10".')
        else:
            out.append(token)
    if len(levels) > 1:
        opener = out[levels[-1].place]
        raise _fail(opener, f"The bracket {opener} is never closed.")
    return out


def _is_negated(tokens: list[Token]) -> bool:
    """Whether a cell is ``not(...)`` as a whole."""
    if len(tokens) < 3 or tokens[0] != "not" or tokens[1].type != "LPAR" or tokens[-1].type != "RPAR":
        return False
    depth = 0
    for i, token in enumerate(tokens[1:], 1):
        depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
        if depth == 0:
            return i == len(tokens) - 1
    return False


def _closes_range(tokens: list[Token], place: int, before: str) -> bool:
    """Whether the ``[`` at ``place`` ends an open range, rather than begins a filter on its upper end."""
    if before not in _OPERAND_END:
        return False
    if before in ("NUMBER", "STRING", "AT_STRING"):
        return True
    depth = 0
    for token in tokens[place:]:
        depth += {"LSQB": 1, "RSQB": -1}.get(token.type, 0)
        if depth == 0:
            return False
    return True


def _close_range(out: list[Token], levels: list[_Level], token: Token) -> None:
    level = levels.pop()
    opener = out[level.place]
    out[level.place] = _token("RANGE_START", str(opener), opener)
    out.append(_token("RANGE_END", str(token), token))
