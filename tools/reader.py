"""A reader's kernel: runs pages, one after the other, and says what went wrong.

`serve` takes a list of a page's cells of code through a pipe, and answers with the error that ended
the run and the first warning, or None; a text that shows a number that is none, a zero with a
minus, or several where there is one ("1 days"), is a warning too, be it a cell's or an explorer's.
Each begins with no names but in the same process, so that what is imported and compiled stays.
Figures are drawn as a notebook draws them, and every explorer is moved to both ends of each slider.
"""

import os
import re
import warnings

import jax
import matplotlib.pyplot as plt
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Markdown
from IPython.utils.capture import capture_output

from lectures_helpers.teaching import explore
from tools import course

COMPILED = course.ROOT / "_build" / "compiled"
# "nan", or a difference that was rounded away and kept its sign, as in "-0.00 %".
NO_NUMBER = re.compile(
    r".*(?:(?<![\w.])nan(?![\w.])|(?<![\w.)\]])[-−]0(?:\.0+)?(?![\d.×\w])).*"
)
# One thing, called by the name of several; not the last of a list, "0, 2 or 1 pots", nor a
# verb, "she sells 1 and orders 2".
ONE_OF_MANY = re.compile(
    r".*(?<![\w.,/^·×=−-])(?<![=/·×+−,-] )1 (?:(?!and\b|or\b|to\b|of\b)\w+ )?"
    r"(?:boxes|cakes|cartons|cases|chairs|classes|customers|dates|days|deliveries|demands|draws"
    r"|families|firms|kegs|lamps|levels|lorries|lots|models|months|mornings|networks|nights"
    r"|pairs|periods|places|points|policies|pots|pumps|quantities|replications|restocks|rules|runs"
    r"|samples|seasons|seats|shops|stages|states|steps|stocks|times|totals|umbrellas|units|weeks"
    r"|years)\b.*"
)


def draw_figures():
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")


def moved(show):
    """`explore.explore`, whose sliders are then moved."""

    def explore_and_move(draw, values, *, start=None, **settings):
        show(draw, values, start=start, **settings)
        place = {name: some[0] for name, some in values.items()} | dict(start or {})
        for name, some in values.items():
            for value in (some[0], some[-1]):
                at = place | {name: value}
                plain = {
                    name: getattr(x, "item", lambda x=x: x)() for name, x in at.items()
                }
                print(draw(**plain) or "")
                draw_figures()

    return explore_and_move


def error_of(result):
    error = result.error_before_exec or result.error_in_exec
    return error and f"{type(error).__name__}: {error}"


def texts_of(captured, value):
    """What a cell shows: prints, and the plain or Markdown text of what it displays."""
    yield captured.stdout
    if isinstance(value, Markdown):  # its last line; printed as an object, not as text
        yield value.data
    for output in captured.outputs:
        data = output.data
        yield data.get("text/markdown") or data.get("text/plain", "")


def read(cells):
    """The first error, with the cell it is in, and the first warning."""
    shell = InteractiveShell.instance()
    shell.reset()
    plt.close("all")
    warning = None
    for cell in cells:
        with warnings.catch_warnings(record=True) as caught, capture_output() as shown:
            warnings.simplefilter("always", RuntimeWarning)
            result = shell.run_cell(cell, store_history=True)
            error = error_of(result)
            if not error:
                try:
                    draw_figures()
                except Exception as failed:
                    error = f"{type(failed).__name__}: {failed}"
        if error:
            return f"{error}\nin the cell\n{cell}", warning
        told = [
            f"{one.category.__name__}: {one.message}"
            for one in caught
            if issubclass(one.category, RuntimeWarning)
        ]
        told += [
            f"shows {line[0]!r}"
            for text in texts_of(shown, result.result)
            if (line := NO_NUMBER.search(text) or ONE_OF_MANY.search(text))
        ]
        if told and not warning:
            warning = f"{told[0]}\nin the cell\n{cell}"
    return None, warning


def serve(line):
    """Read what comes through the pipe, for as long as somebody is at its other end."""
    for of_the_build in ("LECTURES_STRICT", "LECTURES_STATIC_BUILD"):
        os.environ.pop(of_the_build, None)
    plt.switch_backend("agg")
    # What a page itself defines is compiled once for all of its runs.
    jax.config.update("jax_compilation_cache_dir", str(COMPILED))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    explore.explore = moved(explore.explore)
    while True:
        try:
            cells = line.recv()
        except EOFError:
            return
        line.send(read(cells))
