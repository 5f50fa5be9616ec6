"""What passes as a portrait, what a person has to look at, and what is refused with its reason."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image, ImageDraw

from furong.registries.portraits.checks import check, thumbnail
from furong.registries.portraits.drawing import draw_portrait
from furong.registries.portraits.errors import (
    NoHeadFound,
    NotAPortraitFile,
    PictureDamaged,
    PictureSizeWrong,
    PictureTurned,
    PortraitRefused,
    SeveralPictures,
)
from furong.registries.portraits.values import Doubt


def saved(picture: Image.Image, kind: str = "JPEG", **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def opened(seed: int = 1, **how: object) -> Image.Image:
    return Image.open(io.BytesIO(draw_portrait(seed, **how)))  # type: ignore[arg-type]


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (358, 441)) -> Image.Image:
    return Image.new("RGB", size, colour)


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb", b"\0" * 5_000_000)
    return out.getvalue()


def bomb() -> bytes:
    """A picture of 300 bytes that says it is 65,500 points wide and high."""
    data = bytearray(draw_portrait(1))
    frame = data.find(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"
    return bytes(data)


def test_drawn_people_pass_of_every_hue_with_no_doubt() -> None:
    found = [check(draw_portrait(seed)) for seed in range(60)]
    assert [one.doubts for one in found] == [()] * 60
    assert all(0.08 < one.head_share < 0.4 for one in found)
    assert {(one.width, one.height) for one in found} == {(358, 441)}
    assert all(8_000 < len(one.data) < 60_000 for one in found)
    assert check(draw_portrait(3, width=1200, height=1500)).doubts == ()


REFUSED = {
    "a PDF": (lambda: b"%PDF-1.7\n" + b"x" * 2000, NotAPortraitFile),
    "a zip bomb": (archive, NotAPortraitFile),
    "an animation": (
        lambda: saved(plain((9, 9, 9)), "GIF", save_all=True, append_images=[plain((99, 9, 9))]),
        NotAPortraitFile,
    ),
    "a PNG": (lambda: saved(opened(), "PNG"), NotAPortraitFile),
    "a pair for both eyes": (lambda: saved(opened(), "MPO", save_all=True, append_images=[opened(2)]), PortraitRefused),
    "a picture that blows up": (bomb, PictureSizeWrong),
    "one on its side": (lambda: saved(opened().rotate(90, expand=True)), PictureTurned),
    "one that must be turned": (lambda: saved(opened(), exif=turned()), PictureTurned),
    "one in colours for print": (lambda: saved(opened().convert("CMYK")), NotAPortraitFile),
    "one cut short": (lambda: draw_portrait(1)[:-4000], PictureDamaged),
    "an archive behind a picture": (lambda: draw_portrait(1) + archive(), PictureDamaged),
    "a stamp": (lambda: saved(opened().resize((80, 100))), PictureSizeWrong),
    "a banner": (lambda: saved(opened().resize((300, 900))), PictureSizeWrong),
    "nothing": (lambda: b"", NotAPortraitFile),
    "a blue wall": (lambda: saved(plain((60, 90, 170))), NoHeadFound),
    "a landscape": (lambda: saved(landscape()), NoHeadFound),
}


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def landscape() -> Image.Image:
    picture = plain((120, 170, 230))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 250, 358, 441), fill=(40, 120, 50))
    pen.ellipse((40, 30, 100, 90), fill=(255, 255, 255))
    return picture


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_is_no_portrait_is_refused_with_its_reason(what: str) -> None:
    make, kind = REFUSED[what]
    with pytest.raises(kind) as refusal:
        check(make())
    assert str(refusal.value.text)


@pytest.mark.parametrize(
    ("make", "doubt"),
    [
        (lambda: saved(opened().convert("L")), Doubt.NO_COLOURS),
        (lambda: draw_portrait(5, head=0.45), Doubt.HEAD_SMALL),
        (lambda: draw_portrait(5, head=2.1), Doubt.HEAD_LARGE),
        (lambda: saved(opened().transpose(Image.Transpose.FLIP_TOP_BOTTOM)), Doubt.UPSIDE_DOWN),
        (lambda: saved(aside()), Doubt.OFF_CENTRE),
        (lambda: saved(banner()), Doubt.NOT_FACE_LIKE),
    ],
)
def test_what_is_doubtful_waits_for_an_eye(make, doubt: Doubt) -> None:
    assert doubt in check(make()).doubts


def aside() -> Image.Image:
    """Somebody at the edge of the picture."""
    picture = plain((255, 255, 255))
    picture.paste(opened(2), (-130, 0))
    return picture


def banner() -> Image.Image:
    """A flat patch of a skin's hue where a face would be."""
    picture = plain((255, 255, 255))
    ImageDraw.Draw(picture).rectangle((90, 100, 268, 320), fill=(224, 172, 138))
    return picture


def test_somebody_may_insist_that_a_picture_without_a_head_is_looked_at() -> None:
    assert check(saved(plain((60, 90, 170))), ask=True).doubts == (Doubt.NO_HEAD,)
    with pytest.raises(NotAPortraitFile):
        check(archive(), ask=True)


def test_a_thumbnail_is_small_and_carries_no_notes() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    small = thumbnail(saved(opened(), exif=exif))
    assert len(small) < 8_000
    assert b"home" not in small
    assert Image.open(io.BytesIO(small)).width == 120


def test_two_pictures_in_one_file_are_named_as_such() -> None:
    with pytest.raises((SeveralPictures, PictureDamaged)):
        check(saved(opened(), "MPO", save_all=True, append_images=[opened(2)]))
