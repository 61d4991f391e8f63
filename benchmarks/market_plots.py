"""The figures of the market as SVG, with a text that says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor
from xml.sax.saxutils import escape

from benchmarks.market_figures import Cells

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 56, 64
STYLE = """
text { font: 13px sans-serif; fill: #222 } .title { font-size: 16px; font-weight: bold } .small { font-size: 11px }
.axis { stroke: #666 } .grid { stroke: #ccc } .ground { fill: #fff } .whisker { stroke: #222; stroke-width: 1.5 }
.c0 { fill: #8a8a8a } .c1 { fill: #b5651d } .c2 { fill: #3b7dd8 } .c3 { fill: #1b7f4b }
@media (prefers-color-scheme: dark) {
  text { fill: #eee } .axis { stroke: #aaa } .grid { stroke: #444 } .ground { fill: #181818 } .whisker { stroke: #eee }
}
"""
NAMES = {"one_sided": "one-sided", "reciprocal": "reciprocal", "gate": "+ gate", "full": "+ exposure and looks"}


def connections(by_ratio: Mapping[str, Cells]) -> str:
    """Return bars of the connections of each policy, by places for each seeker."""
    top = 100 * (1 + max(cell["connections"] for found in by_ratio.values() for cell in found.values()) // 100)
    parts, texts = [*_grid(0, top, 100)], []
    room = (WIDTH - LEFT - RIGHT) / len(by_ratio)
    for group, (ratio, found) in enumerate(by_ratio.items()):
        left = LEFT + group * room
        wide = room * 0.8 / len(found)
        for place, cell in enumerate(found.values()):
            x, y = left + room * 0.1 + place * wide, _y(cell["connections"], 0, top)
            parts.append(_bar(x, y, wide - 3, place))
            parts.append(_text(x + wide / 2 - 1.5, y - 5, f"{cell['connections']:.0f}", "small"))
        parts.append(_text(left + room / 2, HEIGHT - BOTTOM + 18, f"{ratio} places a seeker"))
        told = ", ".join(f"{NAMES[name]} {cell['connections']:.0f}" for name, cell in found.items())
        texts.append(f"{ratio} places a seeker: {told}.")
    parts += _legend([NAMES[name] for name in next(iter(by_ratio.values()))])
    return _drawing("Connections within 60 days, mean of the seeds", " ".join(texts), parts)


def above_gate(by_appeal: Mapping[str, Mapping[str, Cells]]) -> str:
    """Return how much more than the gate alone the full order gives, by common appeal and places a seeker."""
    points = [
        (appeal, ratio, found["full"]["vs_gate_pct"], found["full"]["vs_gate_interval"])
        for appeal, by_ratio in by_appeal.items()
        for ratio, found in by_ratio.items()
    ]
    low = floor(min(0.0, *(ends[0] for *_, ends in points)))
    high = max(low + 1, ceil(max(0.0, *(ends[1] for *_, ends in points))))
    parts, texts = [*_grid(low, high, max(1, (high - low) // 6), sign="+")], []
    room = (WIDTH - LEFT - RIGHT) / len(points)
    zero = _y(0.0, low, high)
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{zero:.1f}" y2="{zero:.1f}"/>')
    for place, (appeal, ratio, mean, ends) in enumerate(points):
        x = LEFT + (place + 0.5) * room
        y, bottom, top = (_y(value, low, high) for value in (mean, *ends))
        parts.append(f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom:.1f}" y2="{top:.1f}"/>')
        parts.append(f'<circle class="c3" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(_text(x, HEIGHT - BOTTOM + 18, ratio))
        parts.append(_text(x, HEIGHT - BOTTOM + 36, f"appeal {appeal}", "small"))
        texts.append(f"Appeal {appeal}, {ratio} places a seeker: {mean:+.1f} % ({ends[0]:+.1f} to {ends[1]:+.1f}).")
    title = "Connections beyond those of the gate alone, % (95 %)"
    return _drawing(title, " ".join(texts), parts)


def _drawing(title: str, description: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(description)}</desc>\n<style>{STYLE}</style>\n'
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>\n'
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _grid(low: float, high: float, step: int, sign: str = "") -> Iterator[str]:
    for value in range(int(low), int(high) + 1, step):
        y = _y(value, low, high)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="small" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:{sign}d}</text>'


def _legend(names: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(names):
        x = LEFT + place * (WIDTH - LEFT - RIGHT) / len(names)
        yield f'<rect class="c{place}" x="{x:.1f}" y="{HEIGHT - 24}" width="12" height="12"/>'
        yield f'<text class="small" x="{x + 17:.1f}" y="{HEIGHT - 14}">{escape(name)}</text>'


def _bar(x: float, y: float, wide: float, colour: int) -> str:
    height = HEIGHT - BOTTOM - y
    return f'<rect class="c{colour}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'
