"""The page on the package, lighter: fields are a list, not an entry each; no marks without a look."""

import re

from sphinx.pycode import ModuleAnalyzer


def skip_field(app, what, name, value, skip, options):
    """No entry of its own for a field of a NamedTuple."""
    return True if type(value).__name__ == "_tuplegetter" else None


def list_fields(app, what, name, value, options, lines):
    """Below the docstring of a NamedTuple, its fields with what the source says of them."""
    if what != "class" or not hasattr(value, "_fields"):
        return
    described = ModuleAnalyzer.for_module(value.__module__).find_attr_docs()
    lines.append("")
    for field in value._fields:
        text = " ".join(described.get((value.__name__, field), [])).strip()
        lines.append(f"* ``{field}``: {text}" if text else f"* ``{field}``")
    lines.append("")


# Around every word of a signature or of code, and drawn like the text around it.
PLAIN = re.compile(
    r'<span class="(?:pre|n|p|w|colon|default_value|sig-paren)">([^<>]*)</span>'
)


def drop_plain_marks(app, pagename, templatename, context, doctree):
    """A third of the page's weight."""
    if '<dt class="sig ' in (body := context.get("body", "")):
        context["body"] = PLAIN.sub(r"\1", PLAIN.sub(r"\1", body))  # nested once


def setup(app):
    app.connect("autodoc-skip-member", skip_field)
    app.connect("autodoc-process-docstring", list_fields)
    app.connect("html-page-context", drop_plain_marks)
    return {"version": "1", "parallel_read_safe": True}
