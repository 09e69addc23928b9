"""The memo's colours, for light and dark; a test holds them against WCAG 2.2 AA."""

from __future__ import annotations

LIGHT = {
    "paper": "#ffffff", "tint": "#f4f6f8", "ink": "#17202a", "quiet": "#52606d", "rule": "#d3dae1",
    "frame": "#7b8794", "buy": "#0b4f8a", "rent": "#a04008", "good": "#14693a", "bad": "#a61b1b",
    "good-tint": "#e3f3e9", "bad-tint": "#fbe9e7",
}  # fmt: skip
DARK = {
    "paper": "#14181d", "tint": "#1d232a", "ink": "#e8ecf1", "quiet": "#a9b4c0", "rule": "#343d47",
    "frame": "#7d8996", "buy": "#7db8f0", "rent": "#f0a56b", "good": "#6fd39a", "bad": "#ff9c92",
    "good-tint": "#17352a", "bad-tint": "#43211f",
}  # fmt: skip
ON = {
    "text": (("ink", "quiet", "buy", "rent", "good", "bad"), ("paper", "tint"), 4.5),
    "cells": (("ink",), ("good-tint", "bad-tint"), 4.5),
    "shapes": (("buy", "rent", "frame", "good", "bad"), ("paper",), 3.0),
}
"""Use → colours, what they stand on, least contrast (WCAG 2.2, 1.4.3 and 1.4.11)."""


def css() -> str:
    """Custom properties of both themes."""
    light = "".join(f"--{name}:{colour};" for name, colour in LIGHT.items())
    dark = "".join(f"--{name}:{colour};" for name, colour in DARK.items())
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )


def contrast(one: str, other: str) -> float:
    """Ratio of the luminances of two colours (WCAG 2.2, definition of contrast ratio)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
                        for c in channels)  # fmt: skip
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
