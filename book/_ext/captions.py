"""A captioned cell makes one figure.

MyST-NB wraps *every* output of a cell with `mystnb: figure:` in a figure of its own, so that a
cell that draws a picture and then displays a sentence about it would show the caption, and define
the figure's name, twice. Here the caption goes to the cell's first picture alone.
"""

from functools import wraps

from myst_nb.sphinx_ import SphinxNbRenderer


def is_picture(output):
    """Whether an output is an image or a piece of a web page, rather than text."""
    return any(
        kind.startswith("image/") or kind == "text/html"
        for kind in output.get("data", {})
    )


def one_figure(render):
    @wraps(render)
    def wrapped(self, token, outputs):
        metadata = token.meta["metadata"]
        options = {k: v for k, v in metadata.get("mystnb", {}).items() if k != "figure"}
        uncaptioned = {**metadata, "mystnb": options}
        captioned = next((output for output in outputs if is_picture(output)), None)
        for output in outputs:
            token.meta["metadata"] = metadata if output is captioned else uncaptioned
            render(self, token, [output])
        token.meta["metadata"] = metadata

    return wrapped


def setup(app):
    name = "_render_nb_cell_code_outputs"  # private: as of MyST-NB 1.x
    render = getattr(SphinxNbRenderer, name)
    if not hasattr(render, "__wrapped__"):
        setattr(SphinxNbRenderer, name, one_figure(render))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
