"""Puts a cover together: a picture, a way to lay out the page, and the words."""

import re
from collections.abc import Callable
from hashlib import blake2s
from random import Random
from typing import Any

import msgspec

from shop.covers.lettering import SANS, SERIF, Block, draw_block, fit_block
from shop.covers.motifs import (
    Motif,
    arches,
    bands,
    blossoms,
    contours,
    discs,
    foliage,
    foxglove,
    hills,
    lattice,
    moons,
    rays,
    ripples,
    scales,
    sprig,
    stars,
    tiles,
)
from shop.covers.palettes import PALETTES, Palette, contrast, luminance
from shop.covers.svg import circle, element, group, path, rect

WIDTH, HEIGHT = 400, 600
_MARGIN = 34
_RULED = 26  # what the rule between title and byline takes with the space around it


class _Words(msgspec.Struct, frozen=True):
    """What is said on a cover: the title proper, its "or, …" or ": …", and by whom."""

    title: str
    subtitle: str
    byline: str


class _Style(msgspec.Struct, frozen=True):
    """How the words are set: their side, their face, and capitals or not."""

    anchor: str
    family: str
    is_capitals: bool

    @property
    def tracking(self) -> float:
        """Capitals are set with space between them, in em."""
        return 0.06 if self.is_capitals else 0.0


Layout = Callable[[_Words, Motif, Palette, _Style, Random], str]

_STYLES = (
    _Style("start", SERIF, False),
    _Style("middle", SERIF, False),
    _Style("middle", SERIF, True),
    _Style("start", SANS, False),
)


def draw_cover(*, sku: str, title: str, byline: str) -> str:
    """Return the cover as an SVG document of 400 by 600. The same SKU and words give the same cover."""
    chance = Random(blake2s(sku.encode(), digest_size=8).digest())  # noqa: S311 - drawing, not secrets
    palette, (layout, motif) = chance.choice(PALETTES), chance.choice(_COMPOSITIONS)
    page = layout(_divide(title=title, byline=byline), motif, palette, chance.choice(_STYLES), chance)
    hinge = rect(0, 0, 5, HEIGHT, fill="#000", fill_opacity=0.1) + rect(
        5, 0, 2, HEIGHT, fill="#fff", fill_opacity=0.12
    )
    return element(
        "svg",
        page,
        hinge,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
    )


def _picture_above(words: _Words, motif: Motif, palette: Palette, style: _Style, chance: Random) -> str:
    edge = chance.choice([352, 376])
    picture = _clipped(motif(WIDTH, edge, palette, chance), 0, 0, WIDTH, edge)
    return _ground(palette) + picture + _set_words(words, palette, style, top=edge + 26, bottom=HEIGHT - 30)


def _picture_below(words: _Words, motif: Motif, palette: Palette, style: _Style, chance: Random) -> str:
    edge = chance.choice([224, 244])
    picture = _clipped(motif(WIDTH, HEIGHT - edge, palette, chance), 0, edge, WIDTH, HEIGHT - edge)
    return _ground(palette) + picture + _set_words(words, palette, style, top=34, bottom=edge - 24)


def _label(words: _Words, motif: Motif, palette: Palette, style: _Style, chance: Random) -> str:
    """A printed paper all over, and a label pasted on it."""
    top, left, height = chance.choice([72, 96]), 48, 236
    wide = WIDTH - 2 * left
    paper, ink = (palette.ink, palette.ground) if chance.random() < 0.25 else (palette.ground, palette.ink)
    centred = _Style("middle", style.family, style.is_capitals)
    label = group(
        rect(left, top, wide, height, fill=paper),
        rect(left + 9, top + 9, wide - 18, height - 18, fill="none", stroke=ink, stroke_width=1.5),
        rect(left + 13, top + 13, wide - 26, height - 26, fill="none", stroke=ink, stroke_width=0.6),
    )
    colours = Palette(paper, ink, palette.colours)
    said = _set_words(
        words,
        colours,
        centred,
        top=top + 26,
        bottom=top + height - 24,
        left=left + 22,
        right=WIDTH - left - 22,
    )
    return motif(WIDTH, HEIGHT, palette, chance) + label + said


def _window(words: _Words, motif: Motif, palette: Palette, style: _Style, chance: Random) -> str:
    """A picture seen through an arch or a round window, in a ruled frame."""
    centred = _Style("middle", style.family, style.is_capitals)
    frame = _inset(18, palette.ink, 1.6) + _inset(24, palette.ink, 0.6)
    opening = chance.choice([_round_opening, _arched_opening])
    clip = element("clipPath", opening(), id="w")
    rim = opening(fill="none", stroke=palette.ink, stroke_width=2)
    picture = group(
        group(motif(276, 310, palette, chance), transform="translate(62 52)"), clip_path="url(#w)"
    )
    said = _set_words(words, palette, centred, top=388, bottom=HEIGHT - 46, left=48, right=WIDTH - 48)
    return _ground(palette) + frame + clip + picture + rim + said


def _plain(words: _Words, _motif: Motif, palette: Palette, style: _Style, chance: Random) -> str:
    """Words alone within rules, as on a stamped cloth binding, with a flower for a mark."""
    field, ink = _cloth(palette, chance)
    frames = [_inset(inset, ink, width) for inset, width in ((22, 5.0), (31, 1.0), (36, 1.0))]
    corners = [_rosette(x, y, ink) for x in (62, WIDTH - 62) for y in (62, HEIGHT - 62)]
    centred = _Style("middle", style.family, style.is_capitals)
    colours = Palette(field, ink, (ink, ink, ink, ink))
    said = _set_words(words, colours, centred, top=104, bottom=400, left=54, right=WIDTH - 54, largest=78)
    mark = group(sprig(bell=ink, throat=field, leaf=ink), transform="translate(161 412) scale(1.3)")
    return rect(0, 0, WIDTH, HEIGHT, fill=field) + "".join([*frames, *corners]) + said + mark


def _belt(words: _Words, motif: Motif, palette: Palette, style: _Style, chance: Random) -> str:
    """A picture all over, and a belt of paper around it."""
    top, height = chance.choice([190, 214, 318]), 188
    belt = rect(0, top, WIDTH, height, fill=palette.ground)
    lines = "".join(rect(0, y, WIDTH, 1.5, fill=palette.ink) for y in (top + 8, top + height - 9.5))
    said = _set_words(words, palette, style, top=top + 24, bottom=top + height - 24)
    return motif(WIDTH, HEIGHT, palette, chance) + belt + lines + said


def _initial(words: _Words, _motif: Motif, palette: Palette, style: _Style, chance: Random) -> str:
    """The first letter of the title, as large as the page."""
    letter = next(
        (sign for sign in re.sub(r"^(The|An?) ", "", words.title) if sign.isalnum()), words.title[0]
    ).upper()
    colour, shade = chance.sample(palette.colours[:3], 2)
    block = Block(lines=(letter,), size=chance.choice([470, 540]))
    tilt = chance.choice([0, 0, -8, 10])
    ground = rect(0, 0, WIDTH, HEIGHT, fill=colour) + circle(
        WIDTH * chance.choice([0.2, 0.85]), 170, 150, fill=shade
    )
    drawn = draw_block(
        block=block,
        x=WIDTH * 0.5,
        top=-70,
        anchor="middle",
        fill=palette.ground,
        transform=f"rotate({tilt} 200 200)",
    )
    panel = rect(0, 408, WIDTH, HEIGHT - 408, fill=palette.ground)
    return ground + drawn + panel + _set_words(words, palette, style, top=432, bottom=HEIGHT - 30)


def _set_words(
    words: _Words,
    palette: Palette,
    style: _Style,
    *,
    top: float,
    bottom: float,
    left: float = _MARGIN,
    right: float = WIDTH - _MARGIN,
    largest: float = 62,
) -> str:
    """Set title, rule and byline in the box, all of them inside it whatever their length."""
    width, height = right - left, bottom - top
    by = fit_block(
        text=words.byline.upper(), width=width, height=height * 0.26, largest=17, smallest=9, tracking=0.1
    )
    sub = fit_block(text=words.subtitle, width=width, height=height * 0.24, largest=19, smallest=10)
    room = height - (by.height + _RULED if words.byline else 0) - (sub.height + 8 if words.subtitle else 0)
    title = _fit_title(words.title, style, width, room, largest)
    x = left if style.anchor == "start" else (left + right) / 2
    y = top if style.anchor == "start" else top + (room - title.height) / 2
    return _stack(title, sub, by, x, y, palette, style)


def _fit_title(text: str, style: _Style, width: float, height: float, largest: float) -> Block:
    if style.is_capitals:
        text, largest = text.upper(), largest * 0.84
    tracking = style.tracking
    return fit_block(text=text, width=width, height=height, largest=largest, smallest=14, tracking=tracking)


def _stack(title: Block, sub: Block, by: Block, x: float, y: float, palette: Palette, style: _Style) -> str:
    """Draw the three blocks one below the other; one without lines takes no room."""
    side: dict[str, Any] = {"x": x, "anchor": style.anchor, "fill": palette.ink}
    spaced = _spaced(style.tracking * title.size)
    drawn = draw_block(block=title, top=y, family=style.family, **side, **spaced)
    y += title.height + 4
    if sub.lines:
        drawn += draw_block(block=sub, top=y, font_style="italic", **side)
        y += sub.height + 4
    if by.lines:
        drawn += _rule(x, y + 6, style.anchor, palette)
        drawn += draw_block(block=by, top=y + 18, family=SANS, **side, **_spaced(0.1 * by.size))
    return drawn


def _cloth(palette: Palette, chance: Random) -> tuple[str, str]:
    """Return a colour of cloth and one of stamping that is read on it."""
    light, dark = sorted((palette.ground, palette.ink), key=luminance, reverse=True)
    cloths = [colour for colour in (*palette.colours, dark) if contrast(colour, light) >= 4.5]
    return chance.choice(cloths), light


def _inset(inset: float, colour: str, width: float) -> str:
    return rect(
        inset, inset, WIDTH - 2 * inset, HEIGHT - 2 * inset, fill="none", stroke=colour, stroke_width=width
    )


def _spaced(space: float) -> dict[str, Any]:
    return {"letter_spacing": space} if space else {}


def _rule(x: float, y: float, anchor: str, palette: Palette) -> str:
    return rect(x - 18 if anchor == "middle" else x, y, 36, 2.5, fill=palette.colours[2])


def _ground(palette: Palette) -> str:
    return rect(0, 0, WIDTH, HEIGHT, fill=palette.ground)


def _clipped(picture: str, x: float, y: float, width: float, height: float) -> str:
    clip = element("clipPath", rect(0, 0, width, height), id="p")
    return clip + group(group(picture, clip_path="url(#p)"), transform=f"translate({x} {y})")


def _round_opening(**attributes: object) -> str:
    return circle(WIDTH / 2, 206, 138, **attributes)


def _arched_opening(**attributes: object) -> str:
    return path("M", 72, 360, "V", 190, "A", 128, 128, 0, 0, 1, 328, 190, "V", 360, "Z", **attributes)


def _rosette(x: float, y: float, colour: str) -> str:
    petals = [
        element(
            "ellipse", cx=x, cy=y - 8, rx=3.4, ry=7, fill=colour, transform=f"rotate({turn * 45} {x} {y})"
        )
        for turn in range(8)
    ]
    return "".join(petals)


def _divide(*, title: str, byline: str) -> _Words:
    main, _, rest = re.sub(r"[;:] ", "\n", title, count=1).partition("\n")
    return _Words(main, rest, byline)


_COMPOSITIONS: tuple[tuple[Layout, Motif], ...] = (
    *(
        (_picture_above, motif)
        for motif in (
            bands,
            hills,
            arches,
            scales,
            stars,
            tiles,
            rays,
            contours,
            discs,
            foxglove,
            ripples,
            moons,
        )
    ),
    *(
        (_picture_below, motif)
        for motif in (hills, arches, scales, stars, tiles, rays, contours, foxglove, ripples, bands)
    ),
    *(
        (_label, motif)
        for motif in (
            scales,
            tiles,
            foliage,
            blossoms,
            lattice,
            contours,
            foliage,
            blossoms,
            lattice,
            ripples,
        )
    ),
    *((_window, motif) for motif in (bands, hills, stars, foxglove, rays, foliage, ripples, contours)),
    *((_belt, motif) for motif in (foliage, blossoms, scales, tiles, ripples, lattice, hills, contours)),
    *((_plain, foxglove),) * 5,
    *((_initial, foxglove),) * 4,
)
