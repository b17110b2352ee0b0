"""Posters drawn for each work, always the same for the same name."""

from __future__ import annotations

import colorsys
import io
import random
import threading
import unicodedata
from collections.abc import Callable
from functools import partial

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 600, 900
_MARGIN = 42
_HORIZON = 0.56
_MOST_TITLE_LINES = 3
_SIZES = range(64, 30, -4)
_LINE_HEIGHT = 1.06

Colour = tuple[int, int, int]


class PosterStore:
    """Draws each poster once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, bytes] = {}

    def png(self, slug: str, title: str) -> bytes:
        """The poster of a work as a PNG file of 600 by 900 pixels."""
        with self._lock:
            if slug not in self._files:
                self._files[slug] = _drawn(slug, title)
            return self._files[slug]


def _drawn(slug: str, title: str) -> bytes:
    chance = random.Random(f"{slug} 174")  # noqa: S311 -- decoration
    hue = chance.random()
    image = _sky(hue, chance)
    _stars(image, chance)
    _sun(image, hue, chance)
    silhouette = chance.choice((_hills, _town, _forest))
    for layer in range(3):
        depth = layer / 2
        shade = _colour(hue + 0.02 * layer, 0.6 + 0.06 * layer, 0.5 - 0.13 * layer)
        top = HEIGHT * (_HORIZON + 0.11 * depth)
        silhouette(image, top, shade, chance)
    _figure(image, _colour(hue, 0.6, 0.07), chance)
    image = _darker_below(image)
    _title(image, title)
    target = io.BytesIO()
    image.save(target, "PNG", optimize=False, compress_level=6)
    return target.getvalue()


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _sky(hue: float, chance: random.Random) -> Image.Image:
    """From a deep colour above to a bright neighbour at the horizon."""
    turn = chance.choice((-0.14, -0.09, 0.09, 0.14))
    column = Image.new("RGB", (1, HEIGHT))
    for y in range(HEIGHT):
        along = min(1.0, y / (HEIGHT * 0.7))
        column.putpixel((0, y), _colour(hue + turn * along, 0.78 - 0.3 * along, 0.5 + 0.45 * along))
    return column.resize((WIDTH, HEIGHT))


def _stars(image: Image.Image, chance: random.Random) -> None:
    pen = ImageDraw.Draw(image)
    for _ in range(70):
        x, y = chance.randrange(WIDTH), chance.randrange(round(HEIGHT * 0.45))
        size = chance.choice((1, 1, 1, 2))
        pen.ellipse((x, y, x + size, y + size), fill=(255, 250, 235))


def _sun(image: Image.Image, hue: float, chance: random.Random) -> None:
    """A large sun or moon with a soft glow."""
    x, y = WIDTH * chance.uniform(0.42, 0.78), HEIGHT * chance.uniform(0.24, 0.36)
    radius = WIDTH * chance.uniform(0.16, 0.25)
    glow = Image.new("L", (WIDTH, HEIGHT), 0)
    pen = ImageDraw.Draw(glow)
    pen.ellipse((x - radius * 1.5, y - radius * 1.5, x + radius * 1.5, y + radius * 1.5), fill=110)
    glow = glow.filter(ImageFilter.GaussianBlur(70))
    colour = _colour(hue + 0.45, 0.28, 1.0)
    image.paste(colour, mask=glow)
    # Drawn large and made small, for a smooth edge.
    disc = Image.new("L", (WIDTH * 2, HEIGHT * 2), 0)
    edge = tuple(2 * each for each in (x - radius, y - radius, x + radius, y + radius))
    ImageDraw.Draw(disc).ellipse(edge, fill=235)
    image.paste(colour, mask=disc.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _hills(image: Image.Image, top: float, shade: Colour, chance: random.Random) -> None:
    heights = [chance.uniform(0, 1)]
    # Midpoints moved by less and less make a ridge.
    for step in range(6):
        reach = 0.5**step
        between = [
            (left + right) / 2 + chance.uniform(-0.35, 0.35) * reach
            for left, right in zip(heights, [*heights[1:], chance.uniform(0, 1)], strict=True)
        ]
        heights = [each for pair in zip(heights, between, strict=True) for each in pair]
    span = WIDTH / (len(heights) - 1)
    points = [(place * span, top - 130 * height + 60) for place, height in enumerate(heights)]
    ImageDraw.Draw(image).polygon([(0, HEIGHT), *points, (WIDTH, HEIGHT)], fill=shade)


def _town(image: Image.Image, top: float, shade: Colour, chance: random.Random) -> None:
    pen = ImageDraw.Draw(image)
    x = -20.0
    lit = tuple(min(255, each + 60) for each in shade)
    while x < WIDTH:
        width, roof = chance.uniform(34, 84), top - chance.uniform(-40, 110)
        pen.rectangle((x, roof, x + width, HEIGHT), fill=shade)
        if chance.random() < 0.25:  # noqa: PLR2004 -- a mast now and then
            pen.rectangle((x + width / 2, roof - 46, x + width / 2 + 3, roof), fill=shade)
        for _ in range(chance.randrange(4)):
            left, up = x + chance.uniform(6, width - 12), roof + chance.uniform(14, 90)
            pen.rectangle((left, up, left + 5, up + 8), fill=lit)
        x += width


def _forest(image: Image.Image, top: float, shade: Colour, chance: random.Random) -> None:
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, top + 20, WIDTH, HEIGHT), fill=shade)
    x = -30.0
    while x < WIDTH + 30:
        height, width = chance.uniform(90, 190), chance.uniform(44, 78)
        foot = top + 70
        for part in range(3):
            up = foot - height * (1 - 0.24 * part)
            half = width / 2 * (0.55 + 0.25 * part)
            low = foot - height * (0.45 - 0.22 * part)
            pen.polygon([(x, up), (x - half, low), (x + half, low)], fill=shade)
        pen.rectangle((x - 4, foot - height * 0.1, x + 4, foot + 10), fill=shade)
        x += chance.uniform(24, 52)


def _figure(image: Image.Image, shade: Colour, chance: random.Random) -> None:
    """Somebody in a coat whose scarf blows in the wind."""
    x, foot, size = WIDTH * chance.uniform(0.5, 0.72), HEIGHT * 0.86, 270.0
    side = chance.choice((-1, 1))
    layer = Image.new("L", (WIDTH * 2, HEIGHT * 2), 0)
    pen = ImageDraw.Draw(layer)

    def scaled(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(2 * (x + side * dx * size), 2 * (foot - dy * size)) for dx, dy in points]

    coat = [(-0.2, 0), (-0.1, 0.52), (-0.13, 0.76), (0, 0.84), (0.13, 0.76), (0.1, 0.5), (0.24, 0)]
    scarf = [(-0.02, 0.82), (0.22, 0.74), (0.44, 0.8), (0.4, 0.7), (0.2, 0.64), (-0.02, 0.7)]
    pen.polygon(scaled(coat), fill=255)
    pen.polygon(scaled(scarf), fill=255)
    (left, up), (right, low) = scaled([(-0.11, 1.06), (0.11, 0.82)])
    pen.ellipse((min(left, right), up, max(left, right), low), fill=255)
    image.paste(shade, mask=layer.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _darker_below(image: Image.Image) -> Image.Image:
    """So that the title can be read."""
    column = Image.new("L", (1, HEIGHT), 255)
    for y in range(HEIGHT):
        along = max(0.0, (y / HEIGHT - 0.6) / 0.4)
        column.putpixel((0, y), round(255 * (1 - 0.6 * along)))
    veil = column.resize((WIDTH, HEIGHT)).convert("RGB")
    return ImageChops.multiply(image, veil)


def _title(image: Image.Image, title: str) -> None:
    """In capitals without accents, which the font lacks, as large as fits in three lines."""
    decomposed = unicodedata.normalize("NFKD", title.upper())
    text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    pen = ImageDraw.Draw(image)
    size, lines = _SIZES[-1], [text]
    for size in _SIZES:
        lines = _wrapped(text, partial(_width_of, pen, ImageFont.load_default(size)))
        if len(lines) <= _MOST_TITLE_LINES:
            break
    y = HEIGHT - _MARGIN - len(lines) * size * _LINE_HEIGHT
    font = ImageFont.load_default(size)
    for line in lines:
        pen.text((_MARGIN, y), line, font=font, fill="white", stroke_width=2, stroke_fill="white")
        y += size * _LINE_HEIGHT


def _width_of(
    pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, line: str
) -> float:
    return pen.textlength(line, font)


def _wrapped(text: str, width_of: Callable[[str], float]) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        wider = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(wider) <= WIDTH - 2 * _MARGIN:
            lines[-1] = wider
        else:
            lines.append(word)
    return lines
