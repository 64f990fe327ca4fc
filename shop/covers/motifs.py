"""Pictures for covers. Each fills a box from (0, 0) to (width, height); the same chance draws the same."""

import math
from collections.abc import Callable, Sequence
from random import Random

from shop.covers.palettes import Palette, luminance
from shop.covers.svg import circle, element, group, path, rect

_QUARTERS = (0.25, 0.75, 1.25, 1.75)

Motif = Callable[[float, float, Palette, Random], str]


def bands(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw a low sun over bands of colour, mirrored in them."""
    horizon = height * chance.choice([0.5, 0.58, 0.64])
    centre, radius = width * chance.choice([0.34, 0.5, 0.66]), width * chance.uniform(0.2, 0.27)
    light, sea, sun, _ = palette.colours
    shapes = [
        rect(0, 0, width, height, fill=light),
        circle(centre, horizon - radius * 0.18, radius, fill=palette.ground),
    ]
    shapes.append(rect(0, horizon, width, height - horizon, fill=sea))
    y, depth = horizon + 6, 5.0
    while y < height:
        reach = radius * chance.uniform(0.5, 1.05)
        shapes.append(rect(0, y, width, depth * 0.5, fill=sun))
        shapes.append(
            rect(centre - reach, y + depth * 0.7, reach * 2, depth * 0.8, rx=depth * 0.4, fill=palette.ground)
        )
        y, depth = y + depth * 2.4, depth * 1.22
    return "".join(shapes)


def arches(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw arches within arches, as of an arcade."""
    columns = chance.choice([1, 2, 2, 3])
    span = width / columns
    shapes = [rect(0, 0, width, height, fill=palette.colours[3])]
    for column in range(columns):
        colours = _turned(palette, column if columns > 1 else chance.randrange(4))
        shapes += _arch_rings(
            centre=span * (column + 0.5), span=span, height=height, colours=colours, chance=chance
        )
    return "".join(shapes)


def hills(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw hills behind hills under a sun or moon."""
    sky, *slopes = chance.sample(
        [palette.colours[0], palette.colours[1], palette.colours[2], palette.colours[3]], 4
    )
    radius = width * chance.uniform(0.1, 0.17)
    shapes = [rect(0, 0, width, height, fill=sky)]
    shapes.append(
        circle(
            width * chance.uniform(0.25, 0.75),
            height * chance.uniform(0.2, 0.36),
            radius,
            fill=palette.ground,
        )
    )
    for index, colour in enumerate([*slopes, palette.ink]):
        base = height * (0.46 + 0.15 * index)
        shapes.append(_slope(width, height, base, height * 0.09, colour, chance))
    return "".join(shapes)


def scales(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw overlapping waves in rings, row before row."""
    radius = width / chance.choice([6, 8, 10])
    rings = [palette.colours[0], palette.ground, palette.colours[1], palette.ground, palette.colours[2]]
    scale = "".join(
        circle(0, 0, radius * (1 - 0.19 * step), fill=colour) for step, colour in enumerate(rings)
    )
    across, down = int(width / radius / 2) + 2, int(height / radius * 2) + 3
    row = group(*(_use("s", column * radius * 2, 0) for column in range(across)), id="r")
    rows = [_use("r", -radius * (index % 2), index * radius / 2) for index in range(1, down)]
    return (
        _defined(group(scale, id="s"), row)
        + rect(0, 0, width, height, fill=palette.colours[0])
        + "".join(rows)
    )


def stars(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw a night with orbits and a constellation."""
    sky = _darkest(palette)
    gold, pale = _lightest(palette)
    centre, middle = width * chance.uniform(0.25, 0.75), height * chance.uniform(0.3, 0.7)
    shapes = [rect(0, 0, width, height, fill=sky)]
    shapes += [
        circle(centre, middle, 36 + step * 38, fill="none", stroke=pale, stroke_opacity=0.35)
        for step in range(9)
    ]
    shapes.append(circle(centre, middle, 22.0, fill=gold))
    shapes += [
        _planet(centre, middle, 36 + step * 38, palette, chance) for step in chance.sample(range(1, 7), 4)
    ]
    points = _scattered(count=46, width=width, height=height, apart=24, chance=chance)
    shapes += [_star(x, y, chance.choice([1.6, 2.2, 3.4, 6.5]), pale) for x, y in points]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in _constellation(points=points, width=width))
    return "".join(shapes) + element("polyline", points=line, fill="none", stroke=gold, stroke_width=1.4)


def tiles(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw a floor of quarter circles, discs and triangles."""
    side = width / chance.choice([3, 4, 4, 5])
    rows, columns = math.ceil(height / side), round(width / side)
    placed = [_tile(side, column, row, palette, chance) for row in range(rows) for column in range(columns)]
    return "".join(placed)


def rays(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw the beams of something that rises."""
    centre = width * chance.choice([0.5, 0.5, 0.22, 0.78]), height * chance.choice([0.62, 0.86, 1.0])
    count, (first, second, disc, ring) = chance.choice([14, 18, 24]), palette.colours
    beams = [_beam(centre, width + height, math.tau / count, index, second) for index in range(count)]
    rings = ((104.0, palette.ground), (88.0, disc), (60.0, palette.ground), (46.0, ring))
    sun = [circle(*centre, radius, fill=fill) for radius, fill in rings]
    return rect(0, 0, width, height, fill=first) + "".join([*beams, *sun])


def _beam(centre: tuple[float, float], reach: float, step: float, index: int, colour: str) -> str:
    ends = [*_polar(*centre, reach, step * index), *_polar(*centre, reach, step * (index + 0.5))]
    return path("M", *centre, "L", *ends, "Z", fill=colour)


def contours(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw the height lines of a country nobody has mapped."""
    shapes = [rect(0, 0, width, height, fill=palette.colours[3])]
    peaks = [
        (width * 0.3, height * chance.uniform(0.25, 0.4)),
        (width * chance.uniform(0.7, 0.9), height * 0.72),
    ]
    lines = _lightest(palette)[0] if _is_dark(palette.colours[3]) else palette.ink
    for x, y in peaks:
        shape = [(order, chance.uniform(0, math.tau), chance.uniform(0.05, 0.15)) for order in (2, 3, 5)]
        for step in range(13, 0, -1):
            fill = palette.colours[step % 2] if step <= 2 else palette.colours[3]
            shapes.append(
                _blob(
                    x, y, step * 17.0, shape, fill=fill, stroke=lines, stroke_width=1.5 if step % 4 else 2.6
                )
            )
    return "".join(shapes)


def discs(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw discs that overlap as coloured glass does."""
    shapes = [rect(0, 0, width, height, fill=palette.ground)]
    radius = width * chance.uniform(0.25, 0.31)
    turn = chance.uniform(0, math.tau)
    for index, colour in enumerate(palette.colours[:3]):
        x, y = _polar(width / 2, height / 2, radius * 0.74, turn + math.tau * index / 3)
        shapes.append(circle(x, y, radius, fill=colour, fill_opacity=0.82))
    for step in range(4):
        shapes.append(
            circle(
                width / 2,
                height / 2,
                radius * (0.2 + step * 0.12),
                fill="none",
                stroke=palette.ground,
                stroke_width=2,
            )
        )
    return "".join(shapes)


def foxglove(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw a foxglove, bells from the largest to the bud."""
    bell, throat, leaf, _ = palette.colours
    lean, foot = chance.uniform(-0.12, 0.12) * width, width * chance.choice([0.4, 0.5, 0.6])
    low = ((0.99, -1, 0.5), (0.95, 1, 0.54), (0.86, -1, 0.4), (0.83, 1, 0.34))
    leaves = [_leaf(foot, height * at, side * width * size, leaf) for at, side, size in low]
    flower = _stalk(foot, lean, height, 17, leaf)
    defined = _defined(_bell(bell, throat, leaf, palette.ground))
    return defined + rect(0, 0, width, height, fill=palette.ground) + "".join(leaves) + flower


def sprig(*, bell: str, throat: str, leaf: str) -> str:
    """Draw the mark of the house, a small foxglove: 60 wide, 100 high, from (0, 0)."""
    leaves = _leaf(30, 98, -26, leaf) + _leaf(30, 96, 26, leaf)
    return _defined(_bell(bell, throat, leaf, leaf)) + leaves + _stalk(30, 3, 100, 9, leaf)


def foliage(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw climbing stems with leaves and berries, like printed cloth."""
    columns = chance.choice([4, 5])
    step, rise = width / columns, width / columns * 0.52
    leaf, other, berry, ground = palette.colours
    ground = palette.ground if chance.random() < 0.5 else ground
    if ground == palette.colours[3] and _is_dark(ground) == _is_dark(leaf):
        leaf = palette.ground
    spray = _spray(step, rise, leaf, other, berry)
    count = int(height / rise) + 3
    column = group(*(_use("y", 0, index * rise * 2) for index in range(count)), id="c")
    placed = [_use("c", step * (index + 0.5), -rise * (1 + index % 2)) for index in range(columns)]
    return _defined(spray, column) + rect(0, 0, width, height, fill=ground) + "".join(placed)


def blossoms(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw strewn flowers, two kinds in turn, like endpapers."""
    step = width / chance.choice([4, 5])
    petals = chance.choice([5, 6, 8])
    ground = palette.colours[0]
    light, dark = palette.ground, palette.ink
    if _is_dark(palette.ground):
        light, dark = palette.ink, palette.ground
    large = _flower("f", petals, step * 0.34, light, palette.colours[2], dark)
    small = _flower("g", 4, step * 0.16, palette.colours[1], light, dark)
    across = int(width / step) + 2
    row = [
        _use("f", step * at, 0, f"rotate({at * 20 % 60})") + _use("g", step * (at + 0.5), 0)
        for at in range(across)
    ]
    rows = [
        _use("r", -step * 0.5 * (index % 2), step * 0.5 * index)
        for index in range(int(height / step * 2) + 2)
    ]
    defined = _defined(large, small, group(*row, id="r"))
    return defined + rect(0, 0, width, height, fill=ground) + "".join(rows)


def moons(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw the phases of the moon in rows."""
    columns = chance.choice([3, 4, 5])
    step = width / columns
    radius, rows = step * 0.36, max(1, round(height / step))
    dark, light = (palette.ink, palette.ground) if _is_dark(palette.ink) else (palette.ground, palette.ink)
    dark, light = chance.choice([(dark, light), (palette.colours[0], light)])
    shapes, total = [rect(0, 0, width, height, fill=dark)], rows * columns
    for index in range(total):
        x, y = step * (index % columns + 0.5), height / rows * (index // columns + 0.5)
        shapes.append(circle(x, y, radius, fill=light, fill_opacity=0.14))
        shapes.append(_phase(x, y, radius, index / total, light))
    return "".join(shapes)


def lattice(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw a diamond lattice with a flower in every field, like an old paper binding."""
    across = chance.choice([4, 5, 6])
    step = width / across
    tall = step * chance.choice([1.0, 1.35, 1.6])
    ground, line = palette.colours[chance.choice([0, 2])], palette.ground
    field = group(
        _diamond(step, tall, fill="none", stroke=line, stroke_width=2),
        _diamond(step * 2 / 3, tall * 2 / 3, fill=palette.colours[1]),
        *(circle(*_polar(0, 0, step * 0.09, math.pi * turn), step * 0.075, fill=line) for turn in _QUARTERS),
        circle(0, 0, step * 0.05, fill=palette.colours[3]),
        id="d",
    )
    row = group(*(_use("d", step * column, 0) for column in range(across + 1)), id="r")
    rows = range(int(height / tall * 2) + 2)
    placed = [_use("r", -step * 0.5 * (index % 2), tall * index / 2) for index in rows]
    return _defined(field, row) + rect(0, 0, width, height, fill=ground) + "".join(placed)


def ripples(width: float, height: float, palette: Palette, chance: Random) -> str:
    """Draw many lines that swell together, like water or a field seen from a train."""
    count, ground = 26, palette.colours[3]
    gap, phase, swell = height / count, chance.uniform(0, math.tau), chance.uniform(0.9, 1.7)
    line = palette.ground if _is_dark(ground) != _is_dark(palette.ground) else palette.ink
    disc = palette.colours[chance.choice([0, 2])]
    shapes = [rect(0, 0, width, height, fill=ground)]
    shapes.append(circle(width * chance.uniform(0.3, 0.7), height * 0.42, width * 0.2, fill=disc))
    for index in range(-1, count + 2):
        lift, base = gap * 2.2 * math.sin(phase + index * 0.26), index * gap
        bend = [
            width * 0.3,
            base - lift * swell,
            width * 0.6,
            base + lift * swell,
            width + 10,
            base - lift * 0.4,
        ]
        thickness = 1 + 3.2 * (index + 1) / count
        shapes.append(path("M", -10, base, "C", *bend, fill="none", stroke=line, stroke_width=thickness))
    return "".join(shapes)


def _diamond(width: float, height: float, **attributes: object) -> str:
    x, y = width / 2, height / 2
    return path("M", 0, -y, "L", x, 0, 0, y, -x, 0, "Z", **attributes)


def _use(name: str, x: float, y: float, more: str = "") -> str:
    return element("use", href=f"#{name}", transform=f"translate({x:.1f} {y:.1f}) {more}".strip())


def _defined(*shapes: str) -> str:
    return element("defs", *shapes)


def _polar(x: float, y: float, radius: float, angle: float) -> tuple[float, float]:
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def _turned(palette: Palette, by: int) -> list[str]:
    colours = [palette.colours[0], palette.ground, palette.colours[1], palette.colours[2]]
    return colours[by % 4 :] + colours[: by % 4]


def _is_dark(colour: str) -> bool:
    return luminance(colour) < 0.2


def _darkest(palette: Palette) -> str:
    return min((palette.ground, palette.ink), key=luminance)


def _lightest(palette: Palette) -> tuple[str, str]:
    """Return the lightest colour for shapes, and the lighter of ground and ink."""
    return max(palette.colours, key=luminance), max(palette.ground, palette.ink, key=luminance)


def _arch_rings(
    *, centre: float, span: float, height: float, colours: Sequence[str], chance: Random
) -> list[str]:
    crown, widest = height * chance.uniform(0.04, 0.3), span * 0.47
    halves = [widest - span * 0.094 * index for index in range(5)]
    return [
        _arch(centre, half, crown + widest, height, colours[index % 4]) for index, half in enumerate(halves)
    ]


def _arch(centre: float, half: float, spring: float, foot: float, colour: str) -> str:
    up = ["M", centre - half, foot, "V", spring, "A", half, half, 0, 0, 1, centre + half, spring]
    return path(*up, "V", foot, "Z", fill=colour)


def _slope(width: float, height: float, base: float, swing: float, colour: str, chance: Random) -> str:
    left, middle, right = (base + chance.uniform(-swing, swing) for _ in range(3))
    rise = [
        "M",
        0,
        left,
        "C",
        width * 0.2,
        left - swing * 1.4,
        width * 0.3,
        middle - swing,
        width / 2,
        middle,
    ]
    fall = ["S", width * 0.8, right + swing, width, right - swing, "V", height, "H", 0, "Z"]
    return path(*rise, *fall, fill=colour)


def _planet(x: float, y: float, orbit: float, palette: Palette, chance: Random) -> str:
    colour = chance.choice([palette.colours[0], palette.colours[1], palette.colours[2]])
    return circle(*_polar(x, y, orbit, chance.uniform(0, math.tau)), chance.uniform(5, 12), fill=colour)


def _scattered(
    *, count: int, width: float, height: float, apart: float, chance: Random
) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for _ in range(count * 6):
        point = (chance.uniform(14, width - 14), chance.uniform(14, height - 14))
        if len(points) < count and all(math.dist(point, other) > apart for other in points):
            points.append(point)
    return points


def _constellation(*, points: Sequence[tuple[float, float]], width: float) -> list[tuple[float, float]]:
    """Return one star of each strip of the sky, each near in height to the one before."""
    strip, walk = width / 7, [points[0]]
    for index in range(1, 6):
        near = [point for point in points if index * strip < point[0] < (index + 1) * strip]
        walk += sorted(near, key=lambda point: abs(math.dist(point, walk[-1]) - strip * 1.3))[:1]
    return sorted(walk)


def _star(x: float, y: float, size: float, colour: str) -> str:
    if size < 3:
        return circle(x, y, size, fill=colour)
    four_points = "M0-1 .22-.22 1 0 .22.22 0 1-.22.22-1 0-.22-.22Z"
    return path(four_points, fill=colour, transform=f"translate({x:.1f} {y:.1f}) scale({size})")


def _tile(side: float, column: int, row: int, palette: Palette, chance: Random) -> str:
    back, front, spot = chance.sample([palette.ground, *palette.colours], 3)
    half, quarters = side / 2, chance.randrange(4)
    shape = chance.choice(
        [
            path("M", 0, 0, "H", side, "A", side, side, 0, 0, 1, 0, side, "Z", fill=front),
            path("M", 0, 0, "H", side, "A", side, side, 0, 0, 1, 0, side, "Z", fill=front)
            + path("M", 0, 0, "H", half, "A", half, half, 0, 0, 1, 0, half, "Z", fill=spot),
            circle(half, half, half, fill=front) + circle(half, half, half * 0.45, fill=spot),
            path("M", 0, 0, "H", side, "L", 0, side, "Z", fill=front),
            path("M", 0, half, "A", half, half, 0, 0, 1, side, half, "Z", fill=front)
            + path("M", 0, side, "A", half, half, 0, 0, 1, side, side, "Z", fill=spot),
        ]
    )
    turn = f"translate({column * side:.1f} {row * side:.1f}) rotate({quarters * 90} {half:.1f} {half:.1f})"
    return group(rect(0, 0, side + 0.4, side + 0.4, fill=back), shape, transform=turn)


def _blob(
    x: float, y: float, radius: float, shape: Sequence[tuple[int, float, float]], **attributes: object
) -> str:
    points = []
    for index in range(12):
        angle = math.tau * index / 12
        swell = 1 + sum(weight * math.sin(order * angle + phase) for order, phase, weight in shape)
        points.append(_polar(x, y, radius * swell, angle))
    return path(*_smooth(points), fill_opacity=1, **attributes)


def _smooth(points: Sequence[tuple[float, float]]) -> list[object]:
    """Return the steps of a closed curve through `points` (Catmull-Rom, as cubic curves)."""
    steps: list[object] = ["M", *map(round, points[0]), "C"]
    count = len(points)
    for index in range(count):
        before, here, there, after = (points[(index + step) % count] for step in (-1, 0, 1, 2))
        lead = (here[0] + (there[0] - before[0]) / 6, here[1] + (there[1] - before[1]) / 6)
        trail = (there[0] - (after[0] - here[0]) / 6, there[1] - (after[1] - here[1]) / 6)
        steps += (
            [*map(round, lead), *map(round, trail), *map(round, there)]
            if not index
            else ["S", *map(round, trail), *map(round, there)]
        )
    return [*steps, "Z"]


def _on_stem(foot: float, lean: float, height: float, along: float) -> tuple[float, float]:
    rest = 1 - along
    x = rest * rest * foot + 2 * rest * along * (foot + lean) + along * along * (foot + lean * 0.4)
    y = rest * rest * (height + 10) + 2 * rest * along * height * 0.5 + along * along * height * 0.05
    return x, y


def _stalk(foot: float, lean: float, height: float, count: int, colour: str) -> str:
    """Draw a stalk with `count` bells named b, smaller and more upright towards the tip."""
    bend = ["M", foot, height + 10, "Q", foot + lean, height * 0.5, foot + lean * 0.4, height * 0.05]
    line = {"fill": "none", "stroke": colour, "stroke_width": 1.6 + height / 110, "stroke_linecap": "round"}
    bells = [_hung_bell(foot, lean, height, index / (count - 1), index % 2 * 2 - 1) for index in range(count)]
    return path(*bend, **line) + "".join(reversed(bells))


def _hung_bell(foot: float, lean: float, height: float, along: float, side: int) -> str:
    x, y = _on_stem(foot, lean, height, 0.31 + along * 0.66)
    size = (0.17 * (1 - along) ** 0.75 + 0.018) * height / 100
    droop = 28 + 74 * along
    return _use("b", x, y, f"rotate({90 - side * droop:.0f}) scale({size:.2f} {side * size:.2f})")


def _bell(outer: str, throat: str, calyx: str, spots: str) -> str:
    body = "M0-6C18-30 52-30 78-29 88-29 94-35 103-38 112-14 112 14 103 38 94 35 88 29 78 29 52 30 18 30 0 6Z"
    cup = "M-8 0C0-16 14-18 24-14 16-6 16 6 24 14 14 18 0 16-8 0Z"
    shine = {"fill": "none", "stroke": throat, "stroke_width": 3.5, "stroke_linecap": "round"}
    return group(
        path(body, fill=outer),
        path("M28-16C46-21 64-21 82-19", **shine, stroke_opacity=0.8),
        element("ellipse", cx=101, cy=0, rx=9, ry=35, fill=throat),
        *(circle(x, y, 2.6, fill=spots) for x, y in ((99, -17), (103, -5), (98, 6), (102, 18))),
        path(cup, fill=calyx),
        id="b",
    )


def _leaf(x: float, y: float, reach: float, colour: str) -> str:
    blade = "M0 0C.2-.9.7-1.2 1-1 .8-.3.5.1 0 0Z"
    place = f"translate({x:.1f} {y:.1f}) scale({reach:.1f} {abs(reach) * 0.55:.1f})"
    return path(blade, fill=colour, transform=place)


def _spray(step: float, rise: float, leaf: str, other: str, berry: str) -> str:
    bend = ["C", step * 0.16, -rise * 0.6, -step * 0.16, -rise * 1.4, 0, -rise * 2]
    berries = ((-0.2, -0.45, 0.055), (-0.3, -0.75, 0.04), (0.2, -1.45, 0.055))
    return group(
        path("M", 0, 0, *bend, fill="none", stroke=leaf, stroke_width=2.2),
        _leaf(0, -rise * 0.3, step * 0.42, leaf),
        _leaf(0, -rise * 1.3, -step * 0.42, other),
        *(circle(step * x, rise * y, step * size, fill=berry) for x, y, size in berries),
        id="y",
    )


def _flower(name: str, petals: int, radius: float, colour: str, heart: str, line: str) -> str:
    wide = radius * 2.1 / petals
    petal = [
        element(
            "ellipse",
            cx=radius * 0.58,
            cy=0,
            rx=radius * 0.44,
            ry=wide,
            fill=colour,
            transform=f"rotate({360 * turn / petals:.0f})",
        )
        for turn in range(petals)
    ]
    return group(
        *petal, circle(0, 0, radius * 0.24, fill=heart), circle(0, 0, radius * 0.1, fill=line), id=name
    )


def _phase(x: float, y: float, radius: float, turn: float, colour: str) -> str:
    """Draw the lit part of a moon: `turn` 0 is new, 0.5 full."""
    side = 1 if turn < 0.5 else 0
    bulge = radius * math.cos(math.tau * turn)
    sweep = side if bulge < 0 else 1 - side
    outer = f"M0 {-radius:.1f}A{radius:.1f} {radius:.1f} 0 0 {side} 0 {radius:.1f}"
    inner = f"A{abs(bulge):.1f} {radius:.1f} 0 0 {sweep} 0 {-radius:.1f}Z"
    return path(outer + inner, fill=colour, transform=f"translate({x:.1f} {y:.1f})")


MOTIFS: tuple[Motif, ...] = (
    bands,
    arches,
    hills,
    scales,
    stars,
    tiles,
    rays,
    contours,
    discs,
    foxglove,
    foliage,
    blossoms,
    moons,
    lattice,
    ripples,
)
