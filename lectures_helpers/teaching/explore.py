"""Explorers: one drawing function, moved by sliders, in a notebook and on a page without a kernel.

`explore` has two faces. In a live kernel (Jupyter, Colab) it shows an ipywidgets slider for every
parameter. While the book is built (environment variable `LECTURES_STATIC_BUILD` set to `1`) it
shows a piece of HTML that needs no kernel and no network: the start's figure, and beside it what a
model in the page (book/assets/explorers) computes the others from; or, without a model, a frame
for each value of the first parameter, drawn through the same function.
"""

import base64
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from html import escape
from numbers import Real
from typing import Any, NamedTuple

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, clear_output, display
from PIL import Image

from lectures_helpers import checks

__all__ = ["explore"]

# Set by the book's build, before it starts a kernel.
STATIC_BUILD = "LECTURES_STATIC_BUILD"
MAX_FRAMES = 60
MAX_GIVEN = 40_000  # bytes of an explorer's own data
DOTS_PER_INCH = 240  # twice what the page shows: screens are dense


def explore(
    draw: Callable[..., str | None],
    values: Mapping[str, Sequence],
    *,
    alt: str,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    play_ms: float | None = None,
    model: str | None = None,
    given: Mapping[str, Any] | None = None,
) -> None:
    """Show a figure that the reader moves with sliders::

        def draw(σ, S):
            fig, ax = plt.subplots()
            ...
            return f"At σ = {σ} the shelf is empty on {share:.1%} of days."

        explore(
            draw,
            {"σ": [0.1, 0.2, 0.5, 1.0], "S": [50, 100, 150]},
            start={"σ": 0.5, "S": 100},
            labels={"σ": "Demand spread σ", "S": "Order-up-to level S (units)"},
            alt="Steps of the stock over 50 periods",
        )

    Args:
        draw: function that takes the parameters by name, makes one new pyplot figure, and returns
            the plain sentence (no Markdown, no TeX) that states its numbers, or None.
        values: mapping from each parameter's name to the sequence of values that it may take. The
            first parameter takes at least 2. On a built page they all move with a `model`; without
            one only the first, of at most 60 values, and the others stay at their start.
        alt: what one sees in the figure, for readers who cannot see it; the value is added to it.
        start: mapping from names to start values, each one of its `values`; default their first.
        labels: mapping from names to the sliders' labels, with units; default the names.
        play_ms: time between two frames, in milliseconds, >= 1, for a button that plays the figure
            over the first parameter's values, once through; default no such button.
        model: name of the model in the page that draws what `draw` draws; default frames.
        given: mapping from names to what the model in the page is given: numbers, texts, arrays
            or lists of them, at most 40 kB in all.

    Returns:
        None: the explorer is displayed. Figures that `draw` makes are closed.

    Raises:
        ValueError: an argument is out of its bounds; the message names it, its value and the bound.
        Exception: whatever `draw` raises at the start (live) or at any frame (built page).
    """
    _require(callable(draw), f"draw = {draw!r} must be a function of the parameters")
    in_words = isinstance(alt, str) and alt.strip()
    _require(in_words, f"alt = {alt!r} must say in words what the figure shows")
    if play_ms is not None:
        play_ms = int(
            checks.concrete("play_ms", checks.at_least("play_ms", play_ms, 1))
        )
    possible = model is None or (isinstance(model, str) and model.isidentifier())
    _require(possible, f"model = {model!r} must be the name of a model in the page")
    if given is not None:
        _require(
            model is not None, f"model must be named, since given = {given!r} is for it"
        )
    given = _as_json({} if given is None else given)
    start = {} if start is None else start
    labels = {} if labels is None else labels
    for what, some in {"values": values, "start": start, "labels": labels}.items():
        possible = isinstance(some, Mapping) and len(values) > 0
        rule = f"must map at least one parameter to its {what}"
        _require(possible, f"{what} = {some!r} {rule}")
        checks.not_traced(what, *some.values())
        for name in some:
            known = f"the parameters {list(values)}"
            _require(name in values, f"{what} names {name!r}, not one of {known}")
    values = {name: _plain_values(name, some) for name, some in values.items()}
    texts = {name: [_text(value) for value in values[name]] for name in values}
    for name, seen in texts.items():
        different = len(set(seen)) == len(seen)
        _require(different, f"values[{name!r}] = {seen} must differ from one another")
    main = next(iter(values))
    number = f"values[{main!r}] has {len(values[main])} values"
    most = MAX_FRAMES if model is None else np.inf
    possible = 2 <= len(values[main]) <= most
    _require(possible, f"{number}; the first parameter takes 2 to {most}")
    labels = {name: str(labels.get(name, name)) for name in values}
    indices = dict.fromkeys(values, 0)
    for name, value in start.items():
        text = _text(_plain(value))  # compared as the reader sees them: 0.1 * 3 is 0.3
        rule = f"must be one of {', '.join(texts[name])}"
        _require(text in texts[name], f"start[{name!r}] = {value!r} {rule}")
        indices[name] = texts[name].index(text)

    def frame(at):
        parameters = {name: values[name][i] for name, i in at.items()}
        seen = f"{labels[main]} = {texts[main][at[main]]}"
        return _frame(draw, parameters, f"{alt.strip().rstrip('.')}; {seen}.")

    if os.environ.get(STATIC_BUILD) == "1" and model is not None:
        parameters = [
            {
                "name": name,
                "label": labels[name],
                "values": values[name],
                "texts": texts[name],
                "start": indices[name],
            }
            for name in values
        ]
        data = {"parameters": parameters, "given": given, "alt": alt.strip()}
        if play_ms is not None:
            data["play"] = {"name": main, "ms": play_ms}
        display(HTML(_model_page(frame(indices), model, data)))
    elif os.environ.get(STATIC_BUILD) == "1":
        frames = [frame(indices | {main: i}) for i in range(len(values[main]))]
        display(HTML(_page(frames, texts, indices, labels, alt, play_ms)))
    else:
        _show_sliders(frame, texts, indices, labels, play_ms)


def _require(fine, message):
    if not fine:
        raise ValueError(message)


def _plain(value):
    """A NumPy or JAX scalar as a Python number: `draw` gets what a reader would type."""
    return value.item() if hasattr(value, "item") else value


def _plain_values(name, some):
    it = f"values[{name!r}] = {some!r}"
    several = hasattr(some, "__iter__") and not isinstance(some, str)
    _require(several, f"{it} must be a sequence of values")
    values = [_plain(value) for value in some]
    _require(values, f"{it} must hold at least one value")
    return values


def _text(value):
    """A value as a reader sees it: 100000.0 -> 100,000 and 0.1 * 3 -> 0.3."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if abs(value) < 1e15 and value == int(value):
        return f"{int(value):,}"
    return f"{value:,.6g}"


def _as_json(given):
    """`given` with its arrays as lists, once it is known to be light and finite."""
    checks.not_traced("given", given)
    _require(isinstance(given, Mapping), f"given = {given!r} must be a mapping")
    given = {
        name: one.tolist() if hasattr(one, "tolist") else one
        for name, one in given.items()
    }
    try:
        size = len(json.dumps(given, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"given must hold finite numbers, texts and lists: {error}"
        ) from None
    _require(size <= MAX_GIVEN, f"given has {size} bytes; at most {MAX_GIVEN} are fine")
    return given


class _Frame(NamedTuple):
    """What one setting of the sliders shows."""

    pixels: np.ndarray  #: (height, width, 4) bytes: red, green, blue, opacity
    scale: float  #: size on the page over size in pixels
    alt: str
    sentence: str

    def html(self):
        """The figure as an <img> that carries its pixels, and below it the sentence."""
        height, width = (round(n * self.scale) for n in self.pixels.shape[:2])
        # A palette and lossless WebP: a third of the PNG's weight, and lines stay crisp.
        image = Image.fromarray(self.pixels).quantize(256, Image.Quantize.FASTOCTREE)
        webp = io.BytesIO()
        image.convert("RGBA").save(webp, "webp", lossless=True, quality=75, method=2)
        source = "data:image/webp;base64," + base64.b64encode(webp.getvalue()).decode()
        picture = (
            f'<img src="{source}" alt="{escape(self.alt)}" width="{width}"'
            f' height="{height}" decoding="sync" style="max-width: 100%; height: auto">'
        )
        # Without these classes a notebook reads "$3 or $4" as a formula.
        classes = 'class="tex2jax_ignore mathjax_ignore"'
        text = f"<p {classes}>{escape(self.sentence)}</p>" if self.sentence else ""
        return picture + text


def _frame(draw, parameters, alt):
    """Draw once. Leaves no figure open."""
    before = set(plt.get_fignums())
    try:
        sentence = draw(**parameters)
        made = set(plt.get_fignums()) - before
        left = f"draw left {len(made)} new pyplot figures open; it must make 1"
        _require(len(made) == 1, f"{left} and neither show nor close it")
        returned = f"draw returned {sentence!r}"
        is_text = sentence is None or isinstance(sentence, str)
        _require(is_text, f"{returned}; it must return a sentence or None")
        figure = plt.figure(*made)
        png = io.BytesIO()
        fast = {"compress_level": 1}  # it is read again at once
        figure.savefig(png, format="png", dpi=DOTS_PER_INCH, pil_kwargs=fast)
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
    pixels = np.array(Image.open(png).convert("RGBA"))
    pixels[pixels[..., 3] == 0] = 0  # one way to be transparent
    return _Frame(pixels, figure.get_dpi() / DOTS_PER_INCH, alt, sentence or "")


def _show_sliders(frame, texts, indices, labels, play_ms):
    """The live face: a slider for each parameter above the frame."""
    # Outside the output widget, which would swallow an error.
    first = frame(indices).html()
    sliders = [
        widgets.SelectionSlider(
            options=texts[name],
            index=indices[name],
            description=label,
            continuous_update=False,
            style={"description_width": f"{max(map(len, labels.values()))}ch"},
            layout={"width": "min(100%, 36rem)"},
        )
        for name, label in labels.items()
    ]
    output = widgets.Output()

    def show(_change):
        with output:
            clear_output(wait=True)
            places = (slider.index for slider in sliders)
            display(HTML(frame(dict(zip(texts, places, strict=True))).html()))

    for slider in sliders:
        slider.observe(show, names="index")
    rows = [*sliders, output]
    if play_ms is not None:
        main = sliders[0]
        most = len(main.options) - 1
        player = widgets.Play(value=main.index, max=most, interval=play_ms)
        # Linked in the browser: in the kernel, each step would wait for the last figure.
        widgets.jslink((player, "value"), (main, "index"))
        label = widgets.Label(f"Play {main.description}")
        rows.insert(1, widgets.HBox([label, player]))
    display(widgets.VBox(rows))
    with output:
        display(HTML(first))


def _page(frames, texts, indices, labels, alt, play_ms):
    """The built page's face: HTML that shows the start, and that the book's script moves."""
    main, *others = texts
    values, label = [escape(text) for text in texts[main]], escape(labels[main])
    start = indices[main]
    pictures = ""
    for i, frame in enumerate(frames):
        shown = " shown" if i == start else ""
        pictures += f'<div class="explorer-frame{shown}" data-value="{values[i]}">'
        pictures += f"{frame.html()}</div>"
    button = note = ""
    if play_ms is not None:
        button = f'<button type="button" data-ms="{play_ms}" hidden>Play</button>'
    if others:
        held = ", ".join(f"{labels[k]} = {texts[k][indices[k]]}" for k in others)
        note = f"Held here: {held}. In Jupyter or Colab every parameter moves."
        note = f'<p class="explorer-note">{escape(note)}</p>'
    return f"""
<div class="explorer" role="group" aria-label="{escape(alt)}">
<div class="explorer-controls">
<span>{label}: <output>{values[start]}</output></span>
<input type="range" min="0" max="{len(frames) - 1}" step="1" value="{start}"
 aria-label="{label}" aria-valuetext="{values[start]}" autocomplete="off" hidden>
{button}
</div>
<div class="explorer-frames">{pictures}</div>
{note}
</div>
"""


def _model_page(frame, model, data):
    """The built page's face for a model: the start, and what the model computes the others from."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return f"""
<div class="explorer" role="group" aria-label="{escape(data["alt"])}" data-model="{model}">
<div class="explorer-start">{frame.html()}</div>
<script type="application/json" class="explorer-data">{text}</script>
</div>
"""
