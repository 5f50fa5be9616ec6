"""Whether a file can be a portrait: its kind, its size, which way is up, and something of a face's size where it belongs.

No face is searched, measured or compared. The picture is made 32 × 40 points; of these, those of a skin's hue (Cb 77–127, Cr
133–177, whatever the lightness: Chai and Ngan 1999) that are not the background's colour are joined to areas, and the largest
one is asked for its share, its place and its shape. That is a rule of thumb: what it doubts goes to a person, and what it refuses
can be sent to one.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from collections.abc import Sequence

from django.utils.translation import gettext_lazy, gettext_noop
from PIL import Image, ImageChops, ImageStat

from furong.foundation.storage.values import JPEG, kind_name, sniff

from .errors import (
    NoHeadFound,
    NotAPortraitFile,
    PictureDamaged,
    PictureSizeWrong,
    PictureTurned,
    SeveralPictures,
)
from .values import (
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MOST_BYTES,
    MOST_HEIGHT,
    MOST_WIDTH,
    NARROWEST,
    THUMBNAIL_WIDTH,
    WIDEST,
    Doubt,
    Picture,
)

_WIDTH, _HEIGHT = 32, 40
_MOST_SCANS = 24  # a progressive picture has about ten; thousands are made to keep a decoder busy
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)  # what is no part of a scan
_END, _SCAN = 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ORIENTATION = 0x0112
_UPRIGHT = (None, 0, 1)
_COLOURED = 0.01  # share of points that a picture in colour has at least, further from grey than six steps
_NOTHING, _SMALL, _LARGE = 0.02, 0.06, 0.55  # shares of the picture
_FLAT = 8.0  # spread of lightness below which an area has neither eyes nor brows
_OTHER_COLOURS = gettext_noop("a picture in colours for print")


def check(data: bytes, *, ask: bool = False) -> Picture:
    """Return what a picture is, with what a person has to look at, or refuse it.

    ``ask``: somebody insists, so that no head found is a doubt and no refusal. Raises `NotAPortraitFile`, `PictureSizeWrong`,
    `SeveralPictures`, `PictureTurned`, `PictureDamaged`, `NoHeadFound`. Decodes an eighth of the points: about a millisecond.
    """
    kind = sniff(data[:4096])
    if kind != JPEG:
        raise NotAPortraitFile(found=gettext_lazy(kind_name(kind)))
    try:
        width, height, scans = _frame(data)
        if len(data) > MOST_BYTES or width > MOST_WIDTH or height > MOST_HEIGHT or scans > _MOST_SCANS:
            raise PictureSizeWrong(width=width, height=height, kb=len(data) >> 10)
        picture = Image.open(io.BytesIO(data), formats=("JPEG",))
        if getattr(picture, "n_frames", 1) > 1:
            raise SeveralPictures
        shape = width / height
        if picture.getexif().get(_ORIENTATION) not in _UPRIGHT or shape > 1:
            raise PictureTurned
        if width < LEAST_WIDTH or height < LEAST_HEIGHT or not NARROWEST <= shape <= WIDEST:
            raise PictureSizeWrong(width=width, height=height, kb=len(data) >> 10)
        if picture.mode not in {"RGB", "L"}:
            raise NotAPortraitFile(found=gettext_lazy(_OTHER_COLOURS))
        picture.draft("YCbCr", (_WIDTH, _HEIGHT))
        picture.load()
    except (OSError, SyntaxError, ValueError, ZeroDivisionError, struct.error, IndexError) as broken:
        raise PictureDamaged from broken
    share, doubts = _look(picture)
    if Doubt.NO_HEAD in doubts and not ask:
        raise NoHeadFound
    return Picture(
        data=data,
        digest=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        head_share=round(share, 3),
        doubts=doubts,
    )


def thumbnail(data: bytes, *, width: int = THUMBNAIL_WIDTH) -> bytes:
    """Return a small JPEG of a portrait, without whatever notes the original carries. About a millisecond."""
    picture = Image.open(io.BytesIO(data), formats=("JPEG",))
    size = (width, round(width * picture.height / picture.width))
    picture.draft("RGB", size)
    out = io.BytesIO()
    picture.convert("RGB").resize(size, Image.Resampling.BILINEAR).save(out, "JPEG", quality=82)
    return out.getvalue()


def _frame(data: bytes) -> tuple[int, int, int]:
    """Width, height, and how often the picture is gone over until its end, before anything is decoded.

    Nothing but padding may follow the end, so that no archive rides along. Raises `PictureDamaged`.
    """
    at, scans, width, height = 2, 0, 0, 0
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _END:
            if data[at + 2 :].strip(b"\0\n\r \xff"):
                raise PictureDamaged
            return width, height, scans
        if marker == 0xFF:
            at += 1
            continue
        if marker in _FRAMES:
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            scans += 1
            following = _MARKER.search(data, at)
            if following is None:
                break
            at = following.start()
    raise PictureDamaged


def _look(picture: Image.Image) -> tuple[float, tuple[Doubt, ...]]:
    small = picture.convert("YCbCr").resize((_WIDTH, _HEIGHT), Image.Resampling.BOX)
    light, blue, red = small.split()
    coloured = max(sum(n for v, n in enumerate(band.histogram()) if abs(v - 128) > 6) for band in (blue, red))
    if coloured / (_WIDTH * _HEIGHT) < _COLOURED:
        return 0.0, (Doubt.NO_COLOURS,)
    skin = _all(
        light.point([0] * 45 + [255] * 211),
        blue.point([255 if 77 <= v <= 127 else 0 for v in range(256)]),
        red.point([255 if 133 <= v <= 177 else 0 for v in range(256)]),
        ImageChops.invert(_background(light, blue, red)),
    )
    area = _largest(skin.tobytes())
    share = len(area) / (_WIDTH * _HEIGHT)
    if share < _NOTHING:
        return share, (Doubt.NO_HEAD,)
    return share, tuple(_doubts(area, share, light))


def _all(*masks: Image.Image) -> Image.Image:
    found = masks[0]
    for mask in masks[1:]:
        found = ImageChops.darker(found, mask)
    return found


def _background(*bands: Image.Image) -> Image.Image:
    """What has the colour of the picture's upper corners."""
    masks = []
    for band, width in zip(bands, (30, 6, 6), strict=True):
        corners = [band.crop(box) for box in ((0, 0, 5, 8), (_WIDTH - 5, 0, _WIDTH, 8))]
        middle = sum(ImageStat.Stat(one).median[0] for one in corners) / 2
        masks.append(band.point([255 if abs(v - middle) <= width else 0 for v in range(256)]))
    return _all(*masks)


def _largest(mask: bytes) -> list[int]:
    """The largest joined area of a mask, as places in it."""
    left = {place for place, value in enumerate(mask) if value}
    best: list[int] = []
    while len(left) > len(best):
        waiting = [left.pop()]
        area = []
        while waiting:
            place = waiting.pop()
            area.append(place)
            column = place % _WIDTH
            for near, inside in (
                (place - 1, column > 0),
                (place + 1, column < _WIDTH - 1),
                (place - _WIDTH, True),
                (place + _WIDTH, True),
            ):
                if inside and near in left:
                    left.remove(near)
                    waiting.append(near)
        if len(area) > len(best):
            best = area
    return best


def _doubts(area: Sequence[int], share: float, light: Image.Image) -> list[Doubt]:
    columns, rows = [p % _WIDTH for p in area], [p // _WIDTH for p in area]
    left, right, top, bottom = min(columns), max(columns) + 1, min(rows), max(rows) + 1
    across, down = right - left, bottom - top
    found = []
    if share < _SMALL:
        found.append(Doubt.HEAD_SMALL)
    if share > _LARGE:
        found.append(Doubt.HEAD_LARGE)
    middle, height = sum(columns) / len(area) / _WIDTH, sum(rows) / len(area) / _HEIGHT
    if not (0.33 <= middle <= 0.67 and 0.25 <= height <= 0.6):
        found.append(Doubt.OFF_CENTRE)
    quarter = max(1, down // 4)
    above, below = sum(row < top + quarter for row in rows), sum(row >= bottom - quarter for row in rows)
    if below > 1.3 * above:  # a neck is narrower than the face above it
        found.append(Doubt.UPSIDE_DOWN)
    inner = (left + across // 5, top + down // 5, right - across // 5, bottom - down // 5)
    spread = ImageStat.Stat(light.crop(inner)).stddev[0] if across > 4 and down > 4 else 0.0
    if not (0.35 <= across / down <= 1.3 and len(area) >= 0.45 * across * down and spread >= _FLAT):
        found.append(Doubt.NOT_FACE_LIKE)
    return found
