"""Below the title of a page that has a notebook: a link that opens it in Colab."""

from lectures import ROOT

from tools import course

# A cloud with an arrow up, drawn here: a picture of Colab's own would come from the network.
ICON = (
    '<svg viewBox="0 0 24 24" width="1.15em" height="1.15em" aria-hidden="true" fill="none"'
    ' stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
    '<path d="M7 18a4.5 4.5 0 0 1-.6-8.96 6 6 0 0 1 11.5 1.3A3.9 3.9 0 0 1 17.5 18"/>'
    '<path d="M12 20v-8m-3 3 3-3 3 3"/></svg>'
)


def offer(app, pagename, templatename, context, doctree):
    if not (ROOT / f"{pagename}.ipynb").is_file():
        return
    address = course.repository(ROOT).colab(f"{pagename}.ipynb")
    link = f'<p class="open-in-colab"><a href="{address}">{ICON} Open in Colab</a></p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{link}", 1)


def setup(app):
    app.connect("html-page-context", offer, priority=850)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
