"""What the published site needs beyond its pages: pictures of the cards, notebooks, the zip."""

import shutil
from pathlib import Path

from docutils import nodes
from lectures import ROOT
from PIL import Image
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from tools import course, offline


class picture(nodes.Element):
    """Stands for a figure of another page until all pages are read."""


class Picture(SphinxDirective):
    """{picture} fig-name: shows the picture of a figure that another page makes."""

    required_arguments = 1

    def run(self):
        return [picture(figure=self.arguments[0], place=self.get_location())]


def image_of(app, figure):
    """The picture of a figure, whichever page makes it; None where there is no such figure."""
    page, target, *_ = app.env.domains["std"].anonlabels.get(figure, ("", ""))
    for node in app.env.get_doctree(page).findall(nodes.figure) if page else ():
        if target in node["ids"]:
            return next(iter(node.findall(nodes.image)))
    return None


def show_pictures(app, doctree, docname):
    """Put the figures' own pictures, with their alternative texts, in the places for them."""
    for node in list(doctree.findall(picture)):
        if not (image := image_of(app, node["figure"])):
            raise ExtensionError(
                f"{node['place']}: no figure is named {node['figure']}"
            )
        node.replace_self(image.deepcopy())


def with_pictures(app, env):
    """The landing page is written each time: the pictures that it shows may be new."""
    return [app.config.root_doc]


def drop_thebe(app, pagename, templatename, context, doctree):
    """No page runs Thebe. Its setting is written twice, which is an error in the browser."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in (str(script) + str(getattr(script, "attributes", ""))).lower()
    ]


def lighten_pictures(folder):
    """Give pictures a palette of 256 colours: a third of the weight, and no eye sees it."""
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            if image.mode != "P":
                palette = image.convert("RGBA").quantize(256, Image.Quantize.FASTOCTREE)
                palette.save(path, optimize=True)


def finish(app, exception):
    """Offer twins for download, which read well without the book, and pack the course."""
    if exception or app.builder.format != "html":
        return
    html = Path(app.outdir)
    lighten_pictures(html / "_images")
    for page in course.pages(ROOT):
        twin = ROOT / f"{page.name}.ipynb"
        if twin.exists():
            shutil.copyfile(twin, html / "_sources" / f"{page.name}.ipynb")
    offline.pack(html, html / offline.NAME)


def setup(app):
    app.add_directive("picture", Picture)
    app.connect("env-updated", with_pictures)
    app.connect("doctree-resolved", show_pictures)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
