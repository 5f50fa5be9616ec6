"""Invented portraits for the demo, for tests and for measuring: a drawn head on a plain ground, different for each seed."""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 358, 441
_SKINS = ((224, 172, 138), (198, 145, 112), (241, 200, 170), (166, 116, 84), (232, 184, 150))
_HAIRS = ((30, 24, 22), (52, 40, 34), (92, 90, 90), (20, 20, 26))
_GROUNDS = ((255, 255, 255), (228, 236, 246), (210, 224, 240))
_CLOTHES = ((40, 60, 110), (90, 30, 50), (40, 90, 80), (70, 70, 80))


def draw_portrait(
    seed: int, *, width: int = WIDTH, height: int = HEIGHT, head: float = 1.0, quality: int = 90
) -> bytes:
    """Return a JPEG of a drawn person; the same for the same arguments. ``head``: its size, 1 as on a card.

    Noise makes it weigh what a photograph of its size weighs, about 20 KB. Some 5 ms.
    """
    dice = Random(seed)  # noqa: S311 - invented people
    skin, hair = dice.choice(_SKINS), dice.choice(_HAIRS)
    picture = Image.new("RGB", (width, height), dice.choice(_GROUNDS))
    pen = ImageDraw.Draw(picture)
    middle, across, down = width / 2 + dice.uniform(-8, 8), width * 0.235 * head, height * 0.25 * head
    top = height * 0.42
    pen.ellipse((width * 0.06, height * 0.76, width * 0.94, height * 1.3), fill=dice.choice(_CLOTHES))
    pen.rectangle((middle - across * 0.4, top, middle + across * 0.4, top + down * 1.4), fill=skin)
    pen.ellipse((middle - across * 1.12, top - down * 1.22, middle + across * 1.12, top + down * 0.6), fill=hair)
    pen.ellipse((middle - across, top - down * 0.95, middle + across, top + down), fill=skin)
    pen.pieslice((middle - across, top - down * 1.1, middle + across, top + down * 0.5), 190, 350, fill=hair)
    for side in (-1, 1):
        eye = middle + side * across * 0.42
        pen.ellipse(
            (eye - across * 0.17, top - down * 0.06, eye + across * 0.17, top + down * 0.08), fill=(250, 250, 250)
        )
        pen.ellipse((eye - across * 0.08, top - down * 0.06, eye + across * 0.08, top + down * 0.08), fill=(30, 20, 20))
        pen.line((eye - across * 0.2, top - down * 0.16, eye + across * 0.2, top - down * 0.18), fill=hair, width=5)
    pen.line((middle, top + down * 0.1, middle - across * 0.1, top + down * 0.36), fill=(150, 100, 80), width=3)
    pen.arc(
        (middle - across * 0.35, top + down * 0.4, middle + across * 0.35, top + down * 0.62), 10, 170, (150, 60, 60), 5
    )
    grain = Image.frombytes("L", (width // 2, height // 2), dice.randbytes((width // 2) * (height // 2)))
    noise = grain.resize((width, height)).convert("RGB")
    out = io.BytesIO()
    Image.blend(picture, noise, 0.05).save(out, "JPEG", quality=quality, comment=str(seed).encode())
    return out.getvalue()
