"""Draws the outer architecture as SVG, from the same table that the dashboard and `madang architecture` show.

In: a language. Out: the text of an SVG, light or dark as the reader's screen is: three bands, the application on top;
each element with its word, the product that people know, and what serves it here; what is not built yet in dashes.
"""

import unicodedata
from dataclasses import dataclass, field
from html import escape

from madang.web.elements import BANDS, Band, Element
from madang.web.text import Language

WIDTH, PAD, GAP = 1000, 14, 10
BOX, CHIP = 62, 24  # heights
NAME, SMALL = 14.0, 11.5  # sizes of letters
STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans KR", "Apple SD Gothic Neo", sans-serif;
  fill: #23211d } .soft { fill: #756c5d } .here { fill: #2f6f5e } .band { fill: #f4efe4; stroke: #d9cfbb }
.box { fill: #fffdf8; stroke: #b9ac93 } .later { fill: none; stroke: #b9ac93; stroke-dasharray: 4 3 }
.title { font-weight: 700; letter-spacing: .02em } .name { font-weight: 600 } .grey { fill: #8d8474 }
.chip { text-anchor: middle }
@media (prefers-color-scheme: dark) { text { fill: #ece7dd } .soft { fill: #a79f90 } .here { fill: #7cc4ae }
  .band { fill: #23211d; stroke: #3b372f } .box { fill: #2d2a25; stroke: #5b5447 } .later { stroke: #5b5447 }
  .grey { fill: #8d8474 } }
"""
LABEL: dict[Language, str] = {
    "en": "The outer architecture in three bands: application, platform, infrastructure",
    "ko": "외부 아키텍처의 세 계층: 애플리케이션, 플랫폼, 인프라",
}


@dataclass
class Drawing:
    language: Language
    y: float = PAD
    marks: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, said: str, size: float, style: str) -> None:
        self.marks.append(f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" class="{style}">{escape(said)}</text>')

    def rect(self, x: float, y: float, width: float, height: float, style: str) -> None:
        self.marks.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="8" class="{style}"/>'
        )


def width_of(said: str, size: float) -> float:
    """About; a Korean letter is as wide as it is high."""
    wide = sum(1 if unicodedata.east_asian_width(c) in "WF" else 0.54 for c in said)
    return wide * size


def svg(language: Language) -> str:
    drawing = Drawing(language)
    for band in reversed(BANDS):
        draw_band(drawing, band)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {drawing.y:.0f}" role="img" '
        f'aria-label="{LABEL[language]}">\n<style>{STYLE}</style>\n'
    )
    return head + "\n".join(drawing.marks) + "\n</svg>\n"


def draw_band(drawing: Drawing, band: Band) -> None:
    place = len(drawing.marks)
    top = drawing.y
    drawing.text(2 * PAD, top + 26, band.name.of(drawing.language), 15, "title")
    drawing.y += 40
    rows = rows_of(band, drawing.language)
    for row in rows:
        draw_row(drawing, row)
    drawing.y += PAD - GAP
    drawing.marks.insert(place, "")
    drawing.marks[place] = (
        f'<rect x="{PAD}" y="{top:.0f}" width="{WIDTH - 2 * PAD}" height="{drawing.y - top:.0f}" rx="12" class="band"/>'
    )
    drawing.y += PAD


def rows_of(band: Band, language: Language) -> list[list[Element]]:
    """As many in a row as there is room for; one with many parts has a row of its own."""
    rows: list[list[Element]] = []
    room = 0.0
    for element in band.elements:
        wanted = WIDTH if len(element.parts) > 4 else least(element, language) + GAP
        if wanted > room:
            rows.append([])
            room = WIDTH - 4 * PAD + GAP
        rows[-1].append(element)
        room -= wanted
    return rows


def least(element: Element, language: Language) -> float:
    """How wide a box must be; its parts stand in one line."""
    lines = [width_of(element.name.of(language), NAME), width_of(element.known_as.of(language), SMALL)]
    lines.append(width_of(element.here.of(language), SMALL))
    lines.append(sum(width_of(p.name.of(language), SMALL) + 26 for p in element.parts) - 8)
    return max(lines) + 2 * PAD


def draw_row(drawing: Drawing, row: list[Element]) -> None:
    language = drawing.language
    wanted = [min(least(e, language), WIDTH - 4 * PAD) for e in row]
    spare = (WIDTH - 4 * PAD - GAP * (len(row) - 1) - sum(wanted)) / len(row)
    height = BOX + (CHIP + 8 if any(e.parts for e in row) else 0)
    if len(row) == 1:
        height += (CHIP + 6) * (len(chips(row[0], language, WIDTH - 6 * PAD)) - 1)
    x = 2.0 * PAD
    for element, width in zip(row, wanted, strict=True):
        draw_box(drawing, element, x, width + spare, height)
        x += width + spare + GAP
    drawing.y += height + GAP


def draw_box(drawing: Drawing, element: Element, x: float, width: float, height: float) -> None:
    language, y = drawing.language, drawing.y
    drawing.rect(x, y, width, height, "box" if element.built else "later")
    grey = "" if element.built else " grey"
    drawing.text(x + PAD, y + 21, element.name.of(language), NAME, f"name{grey}")
    lines = [(element.known_as, f"soft{grey}"), (element.here, "here" if element.built else "grey")]
    for place, (said, style) in enumerate((said, style) for said, style in lines if said.en):
        drawing.text(x + PAD, y + 37 + 16 * place, said.of(language), SMALL, style)
    top = y + BOX
    for line in chips(element, language, width - 2 * PAD):
        left = x + PAD
        for part in line:
            said = part.name.of(language)
            wide = width_of(said, SMALL) + 18
            drawing.rect(left, top, wide, CHIP, "band" if part.built else "later")
            drawing.text(left + wide / 2, top + 16, said, SMALL, "chip" if part.built else "chip grey")
            left += wide + 8
        top += CHIP + 6


def chips(element: Element, language: Language, room: float) -> list[list[Element]]:
    """The parts in lines."""
    lines: list[list[Element]] = [[]]
    left = room
    for part in element.parts:
        wide = width_of(part.name.of(language), SMALL) + 26
        if wide > left + 8 and lines[-1]:
            lines.append([])
            left = room
        lines[-1].append(part)
        left -= wide
    return lines
