"""`furong check` at the command line, over packs that break a rule: exit 1, and file, line, element, reason and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from furong.entrypoints.cli import main
from tests.packs.planting import HUNAN, Planted, copy_of

HOUSEHOLD = "items/household_registration"


@pytest.fixture
def pack(tmp_path: Path) -> Planted:
    return copy_of(HUNAN, tmp_path)


def _checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    code = main(["check", str(folder)])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return code, said.out.splitlines(), said.err


def _findings(lines: list[str]) -> list[str]:
    return [line for line in lines if ".yaml:" in line or ".bpmn:" in line or ".dmn:" in line or ".toml:" in line]


def test_sound_pack_exits_with_0(pack: Planted, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _errors = _checked(pack.root, capsys)
    assert (code, lines[-1]) == (0, f"{pack.root}: in order")


def test_form_that_asks_what_a_register_holds_is_refused_with_the_source(
    pack: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    line = pack.replace(
        f"{HOUSEHOLD}/form.yaml",
        "{element: mother.address, type: text, prefill: show,",
        "{element: mother.address, type: text,",
    )
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    (found,) = _findings(lines)
    assert found.startswith(f"{pack.root}/{HOUSEHOLD}/form.yaml:{line}: mother.address: ask_once.register: ")
    assert "data_elements/population.yaml:" in found


def test_form_that_asks_what_another_item_of_the_event_puts_out_is_refused(
    pack: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    line = pack.replace(
        f"{HOUSEHOLD}/form.yaml",
        "          - element: newborn.household_with\n",
        "          - {element: newborn.birth_certificate_number, type: text, label: {zh: 证号, en: Number}}\n"
        "          - element: newborn.household_with\n",
    )
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    found = [one for one in _findings(lines) if "newborn.birth_certificate_number" in one]
    assert found[0].startswith(f"{pack.root}/{HOUSEHOLD}/form.yaml:{line}: ")
    assert "ask_once" in found[0]
    assert "birth_certificate" in found[0]


def test_diagram_with_a_cycle_of_no_wait_is_refused_with_its_elements(
    pack: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    # The decision about consent leads back to itself: nobody and nothing is waited for on the way.
    file = f"{HOUSEHOLD}/process.bpmn"
    place = pack.root / file
    text = place.read_text()
    start = text.index('<bpmn:sequenceFlow id="flow_consented_refused"')
    end = text.index(">", start)
    turned = text[start:end].replace('targetRef="refused"', 'targetRef="consented"')
    assert turned != text[start:end]
    place.write_text(text[:start] + turned + text[end:])
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    found = [one for one in _findings(lines) if "cycle" in one]
    assert found, lines
    assert all(one.startswith(f"{place}:") for one in found)
    assert "consented" in found[0]
    assert int(found[0].split(":")[1]) > 1


@pytest.mark.parametrize(
    "reach",
    [
        "__import__(&quot;os&quot;).system(&quot;true&quot;)",
        "newborn.name.__class__.__mro__",
        "eval(&quot;1&quot;)",
        "open(&quot;/etc/passwd&quot;)",
        "lambda: 1",
        "newborn.name; import os",
    ],
)
def test_feel_that_reaches_for_python_is_refused_with_its_line(
    pack: Planted, capsys: pytest.CaptureFixture[str], reach: str
) -> None:
    file = f"{HOUSEHOLD}/process.bpmn"
    line = pack.replace(file, 'furong:input="{person_id: mother.person_id}"', f'furong:input="{reach}"')
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    found = [one for one in _findings(lines) if one.startswith(f"{pack.root}/{file}:")]
    assert found, lines
    assert abs(int(found[0].split(":")[1]) - line) <= 2
    assert ": marriage: " in found[0]


def test_feel_that_reaches_for_python_in_a_form_is_refused(pack: Planted, capsys: pytest.CaptureFixture[str]) -> None:
    line = pack.replace(
        f"{HOUSEHOLD}/form.yaml", "show_if: father.household_id != null", "show_if: __import__('os').getenv('HOME')"
    )
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    assert any(one.startswith(f"{pack.root}/{HOUSEHOLD}/form.yaml:{line}: ") for one in _findings(lines)), lines


def test_broken_yaml_is_told_with_its_line_and_hides_no_other_finding(
    pack: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    pack.append("items/maternity_benefit/item.yaml", "questions: [unclosed\n  : :\n")
    pack.replace(
        f"{HOUSEHOLD}/form.yaml",
        "{element: mother.address, type: text, prefill: show,",
        "{element: mother.address, type: text,",
    )
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    assert any("items/maternity_benefit/item.yaml:" in one for one in lines), lines
    assert any("ask_once.register" in one for one in lines), lines


def test_yaml_that_would_make_objects_or_grow_without_end_is_refused(
    pack: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    pack.append("items/maternity_benefit/item.yaml", "\nevil: !!python/object/apply:os.system [true]\n")
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    pack.append("sites/portal.yaml", "\n" + bomb)
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    assert any("items/maternity_benefit/item.yaml:" in one for one in lines)
    assert any("sites/portal.yaml:" in one for one in lines)


def test_xml_that_reads_a_file_or_grows_without_end_is_refused(
    pack: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    place = pack.root / HOUSEHOLD / "process.bpmn"
    text = place.read_text()
    head, rest = text.split("?>", 1)
    place.write_text(
        f'{head}?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>{rest}'.replace(
            'name="出生户口登记"', 'name="&e;"', 1
        )
    )
    code, lines, _errors = _checked(pack.root, capsys)
    assert code == 1
    assert any(one.startswith(f"{place}:") for one in lines), lines


@pytest.mark.parametrize("name", ["nowhere", "pack.toml"])
def test_what_is_no_folder_is_told_in_one_line(pack: Planted, capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, lines, errors = _checked(pack.root / name, capsys)
    assert (code, lines) == (2, [])
    assert errors.splitlines() == [f"furong check: {pack.root / name} is not a folder."]


def test_folder_that_holds_no_pack_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _errors = _checked(tmp_path, capsys)
    assert code == 1
    assert "pack.toml" in lines[0]
