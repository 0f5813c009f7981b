"""What the published site needs beyond its pages: pictures for the cards, notebooks, the zip."""

import hashlib
import io
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

from docutils import nodes
from lectures import ROOT, fingerprint
from PIL import Image

from tools import course, offline

HIGHLIGHTED = re.compile(r'<div class="highlight">.*?</div>', re.DOTALL)
UNCOLOURED = re.compile(r'<span class="(?:n|p|w)">([^<]*)</span>')


def draw_cards(app):
    """Draw the landing page's pictures, unless those of the same package are there."""
    script, folder = ROOT / "tools" / "cards.py", ROOT / "_build" / "cards"
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    drawn_with, stamp = folder / "drawn_with.txt", f"{fingerprint(ROOT)} {digest}"
    if drawn_with.exists() and drawn_with.read_text() == stamp:
        return
    # A process of its own: Sphinx has no use for JAX.
    subprocess.run([sys.executable, "-m", "tools.cards", folder], cwd=ROOT, check=True)
    drawn_with.write_text(stamp)


def drop_thebe(app, pagename, templatename, context, doctree):
    """No page runs Thebe. Its setting is written twice, which is an error in the browser."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in (str(script) + str(getattr(script, "attributes", ""))).lower()
    ]


def describe(app, pagename, templatename, context, doctree):
    """What a search engine shows of a page: its opening question."""
    first = next(iter(doctree.findall(nodes.paragraph)), None) if doctree else None
    if first is not None:
        text = " ".join(first.astext().split())
        context["metatags"] += f'<meta name="description" content="{escape(text)}">\n'


def lighten_pictures(folder):
    """Give pictures a palette of 256 colours: half the weight, and no eye sees it."""
    for path in folder.glob("*.png"):
        try:
            image = Image.open(path)
            if image.mode == "P":
                continue
            palette = image.convert("RGBA").quantize(256, Image.Quantize.FASTOCTREE)
        except (OSError, Image.DecompressionBombError):
            continue  # whatever it is, it is not ours to change
        light = io.BytesIO()
        palette.save(light, "png", optimize=True)
        if light.tell() < path.stat().st_size:
            path.write_bytes(light.getvalue())


def lighten_code(html):
    """Take the marks off words and brackets that no theme colours: half of a long page's weight."""
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        lighter = HIGHLIGHTED.sub(lambda block: UNCOLOURED.sub(r"\1", block[0]), text)
        if lighter != text:
            path.write_text(lighter, encoding="utf-8")


def finish(app, exception):
    """Offer twins for download, which read well without the book, and pack the course."""
    if exception or app.builder.format != "html":
        return
    html = Path(app.outdir)
    lighten_pictures(html / "_images")
    lighten_code(html)
    for page in course.pages(ROOT):
        twin = ROOT / f"{page.name}.ipynb"
        if twin.exists():
            shutil.copyfile(twin, html / "_sources" / f"{page.name}.ipynb")
    offline.pack(html, html / offline.NAME)


def setup(app):
    app.connect("builder-inited", draw_cards)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", describe)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
