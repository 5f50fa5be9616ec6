"""An identity photograph is judged by its pixels, its shape, its ground and its outline; drawn people stand for real ones."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageDraw

from furong.domains.services.forms import photos
from furong.domains.services.forms.photos import Fault
from furong.domains.services.values.forms import PhotoRule

RULE = PhotoRule(width_px=354, height_px=472, head_from_percent=28, head_to_percent=78)


def drawn(
    *,
    size: tuple[int, int] = (360, 480),
    ground: tuple[int, int, int] = (250, 250, 250),
    head: float = 0.5,
    across: float = 0.5,
    kind: str = "JPEG",
    **more: Any,
) -> bytes:
    """Draw somebody: a head of a share of the width, a neck, shoulders."""
    width, height = size
    picture = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(picture)
    middle, radius = across * width, head * width / 2
    top = height * 0.1
    skin, cloth = (205, 160, 130), (40, 60, 120)
    pen.ellipse((middle - radius, top, middle + radius, top + radius * 2.5), fill=skin)
    pen.rectangle((middle - radius * 0.5, top + radius * 2, middle + radius * 0.5, top + radius * 3), fill=skin)
    pen.ellipse((middle - radius * 2.2, top + radius * 2.8, middle + radius * 2.2, height * 1.4), fill=cloth)
    out = io.BytesIO()
    picture.save(out, kind, quality=90, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(360, 480), (1200, 1600), (413, 531)])
def test_somebody_in_the_middle_before_white_will_do(size: tuple[int, int], kind: str) -> None:
    assert photos.checker().faults(drawn(size=size, kind=kind), rule=RULE) == ()


def test_a_camera_that_lay_on_its_side_is_turned_first() -> None:
    upright = Image.open(io.BytesIO(drawn())).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    upright.save(out, "JPEG", exif=exif)
    assert photos.checker().faults(out.getvalue(), rule=RULE) == ()


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (drawn(size=(180, 240)), Fault.TOO_SMALL),
        (drawn(size=(480, 480)), Fault.SHAPE),
        (drawn(size=(600, 480)), Fault.SHAPE),
        (drawn(ground=(90, 120, 90)), Fault.GROUND),
        (drawn(head=0.16), Fault.HEAD_SMALL),
        (drawn(head=0.95), Fault.HEAD_LARGE),
        (drawn(across=0.75, head=0.35), Fault.NO_HEAD),
        (b"no picture", Fault.UNREADABLE),
        (drawn()[:300], Fault.UNREADABLE),
        (b"", Fault.UNREADABLE),
    ],
)
def test_what_will_not_do_is_said_why(picture: bytes, fault: Fault) -> None:
    assert fault in photos.checker().faults(picture, rule=RULE)


def test_an_empty_wall_has_no_head() -> None:
    out = io.BytesIO()
    Image.new("RGB", (360, 480), (250, 250, 250)).save(out, "JPEG")
    assert photos.checker().faults(out.getvalue(), rule=RULE) == (Fault.NO_HEAD,)
