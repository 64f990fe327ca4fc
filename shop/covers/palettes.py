"""Colours that go together, each set with a ground to write on and an ink that is read on it."""

import msgspec


class Palette(msgspec.Struct, frozen=True):
    """`ink` on `ground` has a contrast of at least 7 to 1; the `colours` are for shapes."""

    ground: str
    ink: str
    colours: tuple[str, str, str, str]


PALETTES = (
    Palette("#f5ecdd", "#3b1f3a", ("#8e3b74", "#cf86ab", "#5f7a4d", "#e6c79c")),  # foxglove
    Palette("#14213d", "#f3e9d2", ("#e0a458", "#5b7db1", "#b5485d", "#2c3e66")),  # harbour at night
    Palette("#ebe8d6", "#22372b", ("#4f7358", "#a3b58c", "#d98e4a", "#2f5140")),  # moss
    Palette("#f4e5d6", "#4a1d16", ("#b5442e", "#e39a68", "#2f5d62", "#e9c27d")),  # brick
    Palette("#f7e9bf", "#1d2b3a", ("#d96c3f", "#33658a", "#f2b84b", "#22405c")),  # butter
    Palette("#0f4146", "#f5ecd7", ("#e3a857", "#7fb8a4", "#d96f53", "#1c5c5e")),  # deep water
    Palette("#f8dfd6", "#47202c", ("#c65b6a", "#f0a58f", "#6f8f87", "#8a3246")),  # rose
    Palette("#2b1a33", "#f4e4ef", ("#a75a9b", "#e0b1cb", "#e5b769", "#4a2d57")),  # plum
    Palette("#dde9ec", "#1c3144", ("#3f88a5", "#f0a868", "#d0573f", "#94bfce")),  # open sky
    Palette("#24272b", "#efe8dc", ("#d8b25c", "#8d9a9c", "#b4543a", "#3d444b")),  # slate
    Palette("#e2b04f", "#2a1c10", ("#8a2f1d", "#f7e6bd", "#2f4a3c", "#bd7723")),  # ochre
    Palette("#eee9de", "#1f2a55", ("#2f4b9b", "#8aa1d6", "#d65f3e", "#cdc5b1")),  # linen and ink
    Palette("#1e3a2f", "#f0ead6", ("#8fb48a", "#d9a75c", "#c7583f", "#2f5746")),  # fir
    Palette("#f1e4c8", "#123b44", ("#1f6f78", "#6fb3ab", "#e58a5c", "#c8b68f")),  # shore
    Palette("#571a2a", "#f6e6d0", ("#d98b5f", "#b03a48", "#e8c78b", "#3d1019")),  # claret
    Palette("#d3e3d4", "#1f3128", ("#2e6e5a", "#f2d7a0", "#d9674e", "#86b39a")),  # mint
    Palette("#e2dcec", "#2c2445", ("#6c5aa0", "#b08fc7", "#e59e6f", "#453a75")),  # lavender
    Palette("#f3efe6", "#231f20", ("#c8372d", "#231f20", "#b9ae98", "#e7a33e")),  # constructor
)


def luminance(colour: str) -> float:
    """Return how light `#rrggbb` is, from 0 to 1, as WCAG 2 reckons it."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, as WCAG 2 reckons it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
