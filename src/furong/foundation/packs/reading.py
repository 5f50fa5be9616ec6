"""Reads a pack's folder and checks it, without a database. Bounded in files, bytes and time; never a stack trace."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Set
from itertools import islice
from pathlib import Path, PurePosixPath

from furong.foundation.packs.frames import FALLBACK, read_frame
from furong.foundation.packs.values import (
    BUILT_IN,
    Finding,
    Frame,
    Kind,
    Pack,
    PackFile,
    Severity,
    Text,
    both,
    in_order,
    kinds,
)
from furong.foundation.packs.values.source import MAX_BYTES

MAX_FILES = 20_000
CODE_PATTERN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
# Invented people and accounts: loaded by the demo, never released.
NOT_RELEASED = frozenset({"demo"})
NOT_RELEASED_INSIDE = frozenset({("search", "judged")})  # what a search is measured by
KNOWN_AT_TOP = frozenset({"pack.toml", "README.md", "README.zh-CN.md", "LICENSE", "NOTICE", "CHANGELOG.md"})


def _finding(
    file: str,
    line: int,
    element: str,
    rule: str,
    message: Text,
    mend: Text,
    severity: Severity = Severity.ERROR,
) -> Finding:
    return Finding(file=file, line=line, element=element, rule=rule, message=message, mend=mend, severity=severity)


def read_pack(path: str | os.PathLike[str]) -> Pack:
    """Read the pack in the folder ``path``: every file of a registered kind, parsed by its room.

    Returns a `Pack`; what could not be read is in ``findings`` of the pack or the file. Never raises for what a folder holds.
    """
    root = Path(path)
    shown_root = str(path).rstrip("/")
    findings: list[Finding] = []
    frame = _frame_of(root, shown_root, findings)
    files: list[PackFile] = []
    places: dict[tuple[str, str], str] = {}
    by_folder: dict[str, list[Kind]] = {}
    for kind in kinds():
        by_folder.setdefault(kind.folder, []).append(kind)
    unknown_folders: set[str] = set()
    found = list(islice(_walk(root, shown_root, findings), MAX_FILES + 1))
    # A folder with the main file of a definition is that definition's, and no group of files that stand alone.
    mains = {kind.file for kind in kinds() if kind.alone_in is not None}
    owned = {relative.parent for relative in found if relative.name in mains}
    for count, relative in enumerate(found):
        if count >= MAX_FILES:
            findings.append(
                _finding(
                    shown_root,
                    1,
                    "-",
                    "pack.too_many_files",
                    both(f"包内文件超过 {MAX_FILES} 个。", f"The pack has more than {MAX_FILES} files."),
                    both("请拆分成几个包。", "Split it into several packs."),
                )
            )
            break
        shown = f"{shown_root}/{relative}"
        match = _match(relative, by_folder, owned)
        if match is None:
            _unmatched(relative, shown, by_folder, unknown_folders, findings)
            continue
        kind, code = match
        if not CODE_PATTERN.fullmatch(code):
            findings.append(
                _finding(
                    shown,
                    1,
                    code[:64],
                    "pack.code",
                    both("文件名不是代码。", "The file's name is not a code."),
                    both(
                        "代码只用小写字母、数字、下划线、点和连字符。",
                        "Use lower-case letters, digits, underscore, dot and hyphen.",
                    ),
                )
            )
            continue
        if (kind.name, code) in places:
            findings.append(
                _finding(
                    shown,
                    1,
                    code,
                    "pack.duplicate_code",
                    both(
                        f"{kind.name} {code} 已在 {places[kind.name, code]} 中定义。",
                        f"{kind.name} {code} is defined in {places[kind.name, code]} already.",
                    ),
                    both("请删除其中一个或改代码。", "Remove one, or change its code."),
                )
            )
            continue
        places[kind.name, code] = shown
        file = _read_file(root / relative, str(relative), shown, kind, code, findings)
        if file is not None:
            parse_file(file, kind, frame)
            files.append(file)
    for kind in kinds():
        for file in kind.built_in(frame) if kind.built_in is not None else ():
            if (kind.name, file.code) not in places:
                parse_file(file, kind, frame)
                files.append(file)
    return Pack(frame=frame, files=files, root=root, findings=findings)


def parse_file(file: PackFile, kind: Kind, frame: Frame) -> None:
    """Parse the bytes of ``file`` into its value and findings; a declared ``code`` must be the file's."""
    file.value, file.findings = kind.parse(file.content, file.shown, frame)
    declared = file.value.get("code") if isinstance(file.value, dict) else getattr(file.value, "code", None)
    if kind.folder and isinstance(declared, str) and declared != file.code:
        line = file.value.line_of("code") if hasattr(file.value, "line_of") else 1
        file.findings.append(
            _finding(
                file.shown,
                line,
                "code",
                "pack.code",
                both(
                    f"代码 {declared} 与文件名 {file.code} 不一致。",
                    f"The code {declared} is not the file's, {file.code}.",
                ),
                both("请使两者一致。", "Make them the same."),
            )
        )
    place = PurePosixPath(file.path)
    alone = kind.alone_in is not None and place.name != kind.file and len(place.parts) == 3
    group_of = kind.alone_in if alone else kind.group_of
    group = group_of(file.value) if group_of is not None and file.value is not None else ""
    stands = place.parent.name
    if group and stands != group and not file.path.startswith(BUILT_IN):
        file.findings.append(
            _finding(
                file.shown,
                1,
                file.code,
                "pack.group",
                both(
                    f"文件应当放在文件夹 {group} 中，而不是 {stands}。",
                    f"The file belongs into the folder {group}, not {stands}.",
                ),
                both("请移动文件。", "Move the file."),
            )
        )


def check_pack(path: str | os.PathLike[str]) -> list[Finding]:
    """Check the pack in the folder ``path``: every file, then the kinds' cross-checks. Needs no database.

    Returns findings in the order of file and line; empty when all is well. About 1 s for a thousand files.
    """
    return check(read_pack(path))


def check(pack: Pack) -> list[Finding]:
    """Give all findings about a pack that was read: its files', and those of each kind's cross-check."""
    findings = [*pack.findings, *(finding for file in pack.files for finding in file.findings)]
    for kind in kinds():
        if kind.cross_check is not None:
            findings.extend(kind.cross_check(pack))
    return in_order(findings)


def _walk(root: Path, shown_root: str, findings: list[Finding]) -> Iterator[PurePosixPath]:
    for folder, names, files in os.walk(root, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted([*files, *(n for n in names if (Path(folder) / n).is_symlink())]):
            if name.startswith("."):
                continue
            place = Path(folder) / name
            relative = PurePosixPath(place.relative_to(root).as_posix())
            if place.is_symlink() or not place.is_file():
                findings.append(
                    _finding(
                        f"{shown_root}/{relative}",
                        1,
                        "-",
                        "pack.link",
                        both("包内不允许链接和特殊文件。", "A pack holds no links or special files."),
                        both("请换成普通文件。", "Put an ordinary file there."),
                    )
                )
                continue
            yield relative


def _match(
    relative: PurePosixPath, by_folder: dict[str, list[Kind]], owned: Set[PurePosixPath]
) -> tuple[Kind, str] | None:
    parts = relative.parts
    if len(parts) == 1:
        return next(
            ((kind, relative.stem) for kind in by_folder.get("", []) if kind.file == parts[0]),
            None,
        )
    for kind in by_folder.get(parts[0], []):
        if kind.group_of is not None:
            if len(parts) == 3 and relative.suffix == kind.suffix:
                return kind, relative.stem
        elif not kind.file and len(parts) == 2 and relative.suffix == kind.suffix:
            return kind, relative.stem
        elif kind.file and len(parts) == 3 and parts[2] == kind.file:
            return kind, parts[1]
    for kind in by_folder.get(parts[0], []):
        if (
            kind.alone_in is not None
            and len(parts) == 3
            and relative.suffix == kind.suffix
            and relative.parent not in owned
        ):
            return kind, relative.stem
    return None


def _unmatched(
    relative: PurePosixPath,
    shown: str,
    by_folder: dict[str, list[Kind]],
    unknown_folders: set[str],
    findings: list[Finding],
) -> None:
    parts = relative.parts
    if (len(parts) == 1 and parts[0] in KNOWN_AT_TOP) or (len(parts) > 1 and parts[0] in NOT_RELEASED):
        return
    if parts[:2] in NOT_RELEASED_INSIDE:
        return
    if len(parts) > 1 and parts[0] not in by_folder:
        if parts[0] not in unknown_folders:
            unknown_folders.add(parts[0])
            findings.append(
                _finding(
                    shown,
                    1,
                    parts[0],
                    "pack.unknown_folder",
                    both(f"没有模块读取文件夹 {parts[0]}。", f"No room reads the folder {parts[0]}."),
                    both("请检查文件夹名。", "Check the folder's name."),
                    Severity.WARNING,
                )
            )
        return
    findings.append(
        _finding(
            shown,
            1,
            relative.name,
            "pack.unknown_file",
            both("没有模块读取这个文件。", "No room reads this file."),
            both("请检查文件名和位置，或删除它。", "Check its name and place, or remove it."),
            Severity.WARNING if len(parts) == 1 else Severity.ERROR,
        )
    )


def _read_file(
    place: Path, relative: str, shown: str, kind: Kind, code: str, findings: list[Finding]
) -> PackFile | None:
    try:
        too_large = place.stat().st_size > MAX_BYTES
        content = b"" if too_large else place.read_bytes()
    except OSError:
        findings.append(
            _finding(
                shown,
                1,
                code,
                "pack.unreadable",
                both("文件无法读取。", "The file cannot be read."),
                both("请检查权限。", "Check its permissions."),
            )
        )
        return None
    if too_large:
        findings.append(
            _finding(
                shown,
                1,
                code,
                "pack.too_large",
                both(
                    f"文件超过 {MAX_BYTES // 1024 // 1024} MB。",
                    f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.",
                ),
                both("请拆分成几个文件。", "Split it into several files."),
            )
        )
        return None
    return PackFile(kind=kind.name, code=code, path=relative, shown=shown, content=content, media_type=kind.media_type)


def _frame_of(root: Path, shown_root: str, findings: list[Finding]) -> Frame:
    shown = f"{shown_root}/pack.toml"
    try:
        content = (root / "pack.toml").read_bytes()[: MAX_BYTES + 1]
    except OSError:
        findings.append(
            _finding(
                shown,
                1,
                "-",
                "pack.no_frame",
                both("没有 pack.toml。", "There is no pack.toml."),
                both("请添加 pack.toml。", "Add a pack.toml."),
            )
        )
        return FALLBACK
    return read_frame(content, shown, findings)
