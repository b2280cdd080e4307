"""Diagrams of the pages as pictures, so that a reader's browser fetches no program to draw them.

Each stands in its page as Mermaid, and beside the pages as an SVG that is named after that text.
The site shows the picture. `./scripts/diagrams` draws those that are missing, and removes old ones.
"""

import hashlib
import re
import sys
from pathlib import Path
from typing import Any

from pymdownx.superfences import SuperFencesException

DOCS = Path(__file__).parent
PICTURES = DOCS / "images" / "diagrams"

STYLE = "background: #fff; border-radius: 4px; margin: 1em 0; padding: 1em"


def picture_of(source: str) -> Path:
    digest = hashlib.sha256(source.strip().encode()).hexdigest()
    return PICTURES / f"{digest[:16]}.svg"


def drawn(source: str, *_: Any, **__: Any) -> str:
    """What the site has for a diagram, as a formatter of fenced blocks."""
    try:
        svg = picture_of(source).read_text()
    except FileNotFoundError:
        raise SuperFencesException("a diagram has no picture: ./scripts/diagrams") from None
    return f'<div style="{STYLE}">{svg}</div>'


def diagrams() -> list[str]:
    """The texts of all diagrams."""
    pages = (page.read_text() for page in sorted(DOCS.glob("*.md")))
    return [text for page in pages for text in re.findall(r"```mermaid\n(.*?)```", page, re.S)]


def draw(mermaid: Path, chromium: str) -> None:
    """Draw what is missing, by this build of Mermaid in this browser."""
    from playwright.sync_api import sync_playwright

    wanted = {picture_of(source): source for source in diagrams()}
    PICTURES.mkdir(exist_ok=True)
    for old in set(PICTURES.glob("*.svg")) - set(wanted):
        old.unlink()
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        page = browser.new_page()
        page.add_script_tag(path=mermaid)
        page.evaluate(
            "mermaid.initialize({ startOnLoad: false, theme: 'neutral', "
            "fontFamily: 'Arial, Helvetica, sans-serif' })"
        )
        for picture, source in wanted.items():
            if not picture.exists():
                svg = page.evaluate(
                    "async ([id, text]) => (await mermaid.render(id, text)).svg",
                    [f"d{picture.stem}", source],
                )
                picture.write_text(f"{svg}\n")


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2])
