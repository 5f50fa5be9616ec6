"""YAML as a tree that remembers its lines.

Only what packs need: maps with string keys, lists, scalars. Aliases and tags are refused (an alias is how a small file becomes a
huge one), size, depth and number of nodes are bounded, and a key may stand once. Scalars keep what was written; a shape
(`schema`) decides what it means, so that ``0123`` and ``no`` stay what the author typed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from furong.foundation.codes.errors import Refusal
from furong.foundation.packs.values.findings import Finding
from furong.foundation.packs.values.text import both

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 500_000


@dataclass(slots=True)
class SourceNode:
    """A scalar, a list or a map at a line (from 1) of a file."""

    line: int
    column: int = 1


@dataclass(slots=True)
class ScalarNode(SourceNode):
    text: str = ""
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        return not self.quoted and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(slots=True)
class ListNode(SourceNode):
    items: list[SourceNode] = field(default_factory=list)


@dataclass(slots=True)
class MapNode(SourceNode):
    entries: dict[str, SourceNode] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, key: str) -> SourceNode:
        return self.entries[key]

    def line_of(self, key: str) -> int:
        return self.key_lines.get(key, self.line)


class SourceRefused(Refusal):
    """The file is not YAML that a pack may hold; ``findings`` say why."""

    code = "packs.source_refused"
    message = "The file cannot be read."

    def __init__(self, *findings: Finding) -> None:
        super().__init__()
        self.findings = findings


def _refuse(file: str, line: int, rule: str, zh: str, en: str, mend_zh: str, mend_en: str) -> SourceRefused:
    return SourceRefused(
        Finding(file=file, line=line, element="-", rule=rule, message=both(zh, en), mend=both(mend_zh, mend_en))
    )


def parse_yaml(data: bytes, *, file: str) -> SourceNode:
    """Parse one YAML document into a tree with line numbers.

    Raises `SourceRefused` with findings for whatever it will not read; costs about 1 s for the largest allowed file.
    """
    if len(data) > MAX_BYTES:
        raise _refuse(
            file,
            1,
            "pack.too_large",
            f"文件超过 {MAX_BYTES // 1024 // 1024} MB。",
            f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.",
            "请拆分成几个文件。",
            "Split it into several files.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data[: exc.start].count(b"\n") + 1
        raise _refuse(
            file,
            line,
            "yaml.not_utf8",
            "文件不是 UTF-8 编码。",
            "The file is not UTF-8.",
            "请另存为 UTF-8。",
            "Save it as UTF-8.",
        ) from exc
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = exc.problem or "cannot be parsed"
        raise _refuse(
            file,
            mark.line + 1 if mark else 1,
            "yaml.syntax",
            f"YAML 语法有误：{problem}。",
            f"This is not YAML: {problem}.",
            "请检查缩进、冒号和引号。",
            "Check indentation, colons and quotes.",
        ) from exc
    except yaml.YAMLError as exc:
        raise _refuse(
            file,
            1,
            "yaml.characters",
            "文件含有不允许的字符。",
            "The file holds a character YAML does not allow.",
            "请删除控制字符。",
            "Remove control characters.",
        ) from exc
    if builder.root is None:
        raise _refuse(
            file,
            1,
            "yaml.empty",
            "文件是空的。",
            "The file is empty.",
            "请填写内容或删除文件。",
            "Fill it or delete it.",
        )
    return builder.root


class _Builder:
    """Builds the tree from parser events without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: SourceNode | None = None
        self.stack: list[SourceNode] = []
        self.keys: list[tuple[str, int] | None] = []
        self.nodes = 0
        self.documents = 0

    def refuse(self, event: yaml.Event, rule: str, zh: str, en: str, mend_zh: str, mend_en: str) -> None:
        mark = event.start_mark
        raise _refuse(self.file, mark.line + 1 if mark else 1, rule, zh, en, mend_zh, mend_en)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.refuse(
                    event,
                    "yaml.documents",
                    "一个文件只能有一个 YAML 文档。",
                    "A file holds one YAML document.",
                    "请拆分文件。",
                    "Split the file.",
                )
        elif isinstance(event, yaml.AliasEvent):
            self.refuse(
                event,
                "yaml.alias",
                "不允许使用别名（*）。",
                "Aliases (*) are not used in packs.",
                "请把值写出来。",
                "Write the value out.",
            )
        elif isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._node(event)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self.stack.pop()
            self.keys.pop()

    def _node(self, event: yaml.Event) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.refuse(
                event,
                "pack.too_large",
                "文件的节点过多。",
                "The file has too many nodes.",
                "请拆分成几个文件。",
                "Split it into several files.",
            )
        if getattr(event, "anchor", None) is not None:
            self.refuse(
                event,
                "yaml.alias",
                "不允许使用锚点（&）。",
                "Anchors (&) are not used in packs.",
                "请把值写出来。",
                "Write the value out.",
            )
        if getattr(event, "tag", None) not in {None, "!"}:
            self.refuse(
                event,
                "yaml.tag",
                "不允许使用类型标签（!）。",
                "Tags (!) are not used in packs.",
                "请删除标签。",
                "Remove the tag.",
            )
        mark = event.start_mark
        assert mark is not None  # noqa: S101 - the parser always sets it
        line, column = mark.line + 1, mark.column + 1
        parent = self.stack[-1] if self.stack else None
        if isinstance(parent, MapNode) and self.keys[-1] is None:
            self._key(event, parent, line)
            return
        node: SourceNode
        if isinstance(event, yaml.ScalarEvent):
            node = ScalarNode(line, column, text=event.value, quoted=event.style in {"'", '"', "|", ">"})
        elif isinstance(event, yaml.SequenceStartEvent):
            node = ListNode(line, column)
        else:
            node = MapNode(line, column)
        if isinstance(parent, MapNode):
            key = self.keys[-1]
            assert key is not None  # noqa: S101 - the branch above saw to it
            parent.entries[key[0]] = node
            self.keys[-1] = None
        elif isinstance(parent, ListNode):
            parent.items.append(node)
        else:
            self.root = node
        if not isinstance(node, ScalarNode):
            self.stack.append(node)
            self.keys.append(None)
            if len(self.stack) > MAX_DEPTH:
                self.refuse(
                    event,
                    "pack.too_deep",
                    "层次过深。",
                    "The file is nested too deeply.",
                    "请减少层次。",
                    "Use fewer levels.",
                )

    def _key(self, event: yaml.Event, parent: MapNode, line: int) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse(
                event,
                "yaml.key",
                "键必须是一个词。",
                "A key must be one word.",
                "请改正键。",
                "Mend the key.",
            )
            return
        if event.value in parent.key_lines:
            self.refuse(
                event,
                "yaml.duplicate_key",
                f"键 {event.value[:60]} 重复，首次出现在第 {parent.key_lines[event.value]} 行。",
                f"The key {event.value[:60]} stands twice, first in line {parent.key_lines[event.value]}.",
                "请删除其中一个。",
                "Remove one of them.",
            )
        parent.key_lines[event.value] = line
        self.keys[-1] = (event.value, line)
