"""What a member installs alone: one wheel of the gateway, whose needs are all named, and which runs without the platform."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy" / "furong-link"
SOURCE = ROOT / "src" / "furong_link"
NAMED = {"nacl": "pynacl"}  # a package that is imported under another name
_ALONE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("furong", "django"):
            raise ImportError(f"a member has no {name}")
sys.meta_path.insert(0, Nothing())
sys.path.insert(0, sys.argv.pop(1))
import furong_link
assert furong_link.__file__.startswith(sys.path[0]), furong_link.__file__
from furong_link.cli import main
sys.exit(main())
"""


def _imported() -> set[str]:
    found = set()
    for path in SOURCE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [one.name for one in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found |= {name.partition(".")[0] for name in names}
    return found - set(sys.stdlib_module_names) - {"furong_link"}


def test_the_wheel_holds_the_gateway_alone_names_what_it_needs_and_runs_without_the_platform(tmp_path: Path) -> None:
    project = tomllib.loads((PLACE / "pyproject.toml").read_text())["project"]
    needs = {one.partition(">")[0].strip() for one in project["dependencies"]}
    assert {NAMED.get(name, name) for name in _imported()} <= needs
    platforms = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert set(project["dependencies"]) <= set(platforms)  # one lock tests both

    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=PLACE, capture_output=True, text=True, check=True, timeout=60
    )
    with zipfile.ZipFile(tmp_path / made.stdout.split()[-1]) as wheel:
        names = wheel.namelist()
        wheel.extractall(tmp_path / "alone")
    assert {name.partition("/")[0] for name in names} == {"furong_link", "furong_link-0.1.0.dist-info"}
    assert {f"furong_link/{path.name}" for path in SOURCE.glob("*.py")} | {"furong_link/py.typed"} <= set(names)
    assert (
        "furong-gateway = furong_link.cli:main"
        in (tmp_path / "alone/furong_link-0.1.0.dist-info/entry_points.txt").read_text()
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, "-c", _ALONE, str(tmp_path / "alone"), *words]
        return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)

    folder, operator = tmp_path / "clinic", f"ed25519:{'A' * 43}="
    first = run("init", str(folder), "--id", "clinic-1", "--authority", "127.0.0.1:8601", "--operator", operator)
    assert first.returncode == 0, first.stderr
    checked = run("check", str(folder))
    assert "✓ key" in checked.stdout, checked.stderr
    assert "the operator has not approved this gateway" in checked.stdout
