"""At the end of each lecture: how to cite it, in words and as BibTeX."""

from html import escape
from pathlib import Path

import lectures  # noqa: F401 (puts tools/ within reach)

from tools import citation, course

BOX = (
    '<details class="cite"><summary>Cite this lecture</summary>'
    "<p>{line}</p>\n{bibtex}</details>\n"
)


def offer(app, pagename, templatename, context, doctree):
    root = Path(app.srcdir)
    pages = {page.name: page for page in course.pages(root)}
    if pagename not in pages or not pages[pagename].chapter:
        return
    page, cited = pages[pagename], citation.read(root)
    title = app.env.titles[pagename].astext()
    code = citation.bibtex(page, title, cited, root)
    context["body"] += BOX.format(
        line=escape(citation.line(page, title, cited, root)),
        bibtex=app.builder.highlighter.highlight_block(code, "bibtex"),
    )


def setup(app):
    app.connect("html-page-context", offer, priority=850)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
