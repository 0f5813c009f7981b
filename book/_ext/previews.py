"""What a link to a page shows elsewhere, in a chat or in what a search finds: the page's title,
its opening question, and the figure that the landing page shows of it."""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from lectures import ROOT
from PIL import Image
from published import image_of

from tools import course

FOLDER = "previews"  # of the built book
SIZE = (1200, 630)  # what the services that show links ask for
MARGIN = 40
CARD = re.compile(r":link: (\S+)\n(?::.+\n)*\n```\{picture\} (fig-[\w-]+)\n")


def figure_of(app, pagename):
    """File and alternative text of the figure on a page's card."""
    landing = (ROOT / f"{course.pages(ROOT)[0].name}.md").read_text(encoding="utf-8")
    cards = {f"book/{link}": name for link, name in CARD.findall(landing)}
    image = image_of(app, cards.get(pagename))
    return image and (Path(app.srcdir, image["candidates"]["*"]), image.get("alt", ""))


def describe(app, pagename, templatename, context, doctree):
    first = next(iter(doctree.findall(nodes.paragraph)), None) if doctree else None
    if first is None:
        return
    text = " ".join(first.astext().split())
    site = course.repository(ROOT).site
    said = {
        "og:type": "article",
        "og:site_name": app.config.html_title or app.config.project,
        "og:title": app.env.titles[pagename].astext(),
        "og:description": text,
        "og:url": f"{site}/{pagename}.html",
    }
    # A page without a figure of its own shows the first lecture's.
    for name in (pagename, *(page.name for page in course.pages(ROOT) if page.chapter)):
        if name in app.env.found_docs and (figure := figure_of(app, name)):
            said["og:image"] = f"{site}/{FOLDER}/{name}.png"
            said["og:image:alt"] = figure[1]
            break
    context["metatags"] += metatags(text, said)


def metatags(text, said):
    """The head's lines that say this, for search engines and for services that show links."""
    tags = [
        ("name", "description", text),
        *(("property", *each) for each in said.items()),
    ]
    if "og:image" in said:
        tags.append(("name", "twitter:card", "summary_large_image"))
    return "".join(
        f'<meta {kind}="{name}" content="{escape(content)}">\n'
        for kind, name, content in tags
    )


def on_white(figure, target):
    """A figure, which has no background, in the middle of a card."""
    card = Image.new("RGB", SIZE, "white")
    with Image.open(figure) as image:
        image = image.convert("RGBA")
        scale = min(
            (full - 2 * MARGIN) / own
            for full, own in zip(SIZE, image.size, strict=True)
        )
        image = image.resize(
            [round(scale * own) for own in image.size], Image.Resampling.LANCZOS
        )
    place = [(full - own) // 2 for full, own in zip(SIZE, image.size, strict=True)]
    card.paste(image, place, image)
    target.parent.mkdir(parents=True, exist_ok=True)
    card.quantize(64).save(target, optimize=True)


def draw(app, exception):
    if exception or app.builder.format != "html":
        return
    for page in course.pages(ROOT):
        lecture = page.chapter and page.name in app.env.found_docs
        if lecture and (figure := figure_of(app, page.name)):
            on_white(figure[0], Path(app.outdir, FOLDER, f"{page.name}.png"))


def setup(app):
    app.connect("html-page-context", describe)
    app.connect("build-finished", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
