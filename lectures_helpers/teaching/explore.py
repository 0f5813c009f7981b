"""Explorers: one drawing function, moved by sliders, in a notebook and on a page without a kernel.

`explore` has two faces. In a live kernel (Jupyter, Colab) it shows an ipywidgets slider for every
parameter. While the book is built (environment variable `LECTURES_STATIC_BUILD` set to `1`) it
draws one frame for each value of the first parameter and shows a piece of HTML that moves between
them by itself: no kernel, no network. Both faces draw through the same function and show the same
frame.
"""

import base64
import io
import math
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

__all__ = ["explore"]

STATIC_BUILD = (
    "LECTURES_STATIC_BUILD"  # set by the book's build, before it starts a kernel
)
MAX_FRAMES = 60
DOTS_PER_INCH = 120  # as the figures beside them


def explore(
    draw: Callable[..., str | None],
    values: Mapping[str, Sequence],
    *,
    alt: str,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    play_ms: float | None = None,
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
            first parameter, of 2 to 60 values, moves on a built page; the others stay at their
            start there.
        alt: what one sees in the figure, for readers who cannot see it; the value is added to it.
        start: mapping from names to start values, each one of its `values`; default their first.
        labels: mapping from names to the sliders' labels, with units; default the names.
        play_ms: time between two frames, in milliseconds, >= 1, for a button that plays the figure
            over the first parameter's values, once through; default no such button.

    Returns:
        None: the explorer is displayed. Figures that `draw` makes are closed.

    Raises:
        ValueError: an argument is out of its bounds; the message names it, its value and the bound.
        Exception: whatever `draw` raises at the start (live) or at any frame (built page).
    """
    if not callable(draw):
        raise ValueError(f"draw = {draw!r} must be a function of the parameters")
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt = {alt!r} must say in words what the figure shows")
    if play_ms is not None:
        if not (isinstance(play_ms, Real) and 1 <= play_ms < math.inf):
            raise ValueError(f"play_ms = {play_ms!r} must be a number >= 1")
        play_ms = int(play_ms)
    values = _checked_values(values)
    main = next(iter(values))
    if not 2 <= len(values[main]) <= MAX_FRAMES:
        raise ValueError(
            f"values[{main!r}] has {len(values[main])} values;"
            f" the first parameter takes 2 to {MAX_FRAMES}"
        )
    indices = dict.fromkeys(values, 0) | {
        name: _index(name, value, values[name])
        for name, value in _checked_names("start", start, values).items()
    }
    labels = _checked_names("labels", labels, values)
    labels = {name: str(labels.get(name, name)) for name in values}

    def frame(indices):
        parameters = {name: values[name][i] for name, i in indices.items()}
        seen = f"{alt.strip().rstrip('.')}; {labels[main]} = {_text(parameters[main])}."
        return _frame(draw, parameters, seen)

    if os.environ.get(STATIC_BUILD) == "1":
        frames = [frame(indices | {main: i}) for i in range(len(values[main]))]
        display(HTML(_page(frames, values, indices, labels, alt, play_ms)))
    else:
        _show_sliders(frame, values, indices, labels, play_ms)


class _Frame(NamedTuple):
    """What one setting of the sliders shows."""

    pixels: np.ndarray  #: (height, width, 4) bytes: red, green, blue, opacity
    scale: float  #: size on the page over size in pixels
    alt: str
    sentence: str | None

    def html(self, pixels=None):
        pixels = self.pixels if pixels is None else pixels
        picture = _image(pixels, self.scale, escape(self.alt))
        if not self.sentence:
            return picture
        # Without these classes a notebook reads "$3 or $4" as a formula.
        return (
            f'{picture}<p class="tex2jax_ignore mathjax_ignore">'
            f"{escape(self.sentence)}</p>"
        )


def _checked_values(values):
    """The mapping as name -> list of plain Python values, none empty, none with repeats."""
    if not isinstance(values, Mapping) or not values:
        raise ValueError(
            f"values = {values!r} must map at least one parameter to its values"
        )
    checked = {}
    for name, choices in values.items():
        if isinstance(choices, str) or not hasattr(choices, "__iter__"):
            raise ValueError(
                f"values[{name!r}] = {choices!r} must be a sequence of values"
            )
        # NumPy and JAX scalars become Python numbers, so that `draw` gets what a reader would type.
        checked[name] = [v.item() if hasattr(v, "item") else v for v in choices]
        texts = [_text(v) for v in checked[name]]
        if not texts:
            raise ValueError(
                f"values[{name!r}] = {choices!r} must hold at least one value"
            )
        if len(set(texts)) < len(texts):
            raise ValueError(f"values[{name!r}] = {texts} must differ from one another")
    return checked


def _checked_names(argument, mapping, values):
    """The mapping, or an empty one for None, whose keys are all parameters."""
    if mapping is not None and not isinstance(mapping, Mapping):
        raise ValueError(
            f"{argument} = {mapping!r} must map parameters to their {argument}"
        )
    for name in mapping or {}:
        if name not in values:
            raise ValueError(
                f"{argument} names {name!r}, not one of the parameters {list(values)}"
            )
    return dict(mapping or {})


def _index(name, value, choices):
    """Where `value` stands in `choices`, compared as the reader sees them (0.1 * 3 is 0.3)."""
    value = value.item() if hasattr(value, "item") else value
    texts = [_text(choice) for choice in choices]
    if _text(value) not in texts:
        raise ValueError(
            f"start[{name!r}] = {value!r} must be one of {', '.join(texts)}"
        )
    return texts.index(_text(value))


def _text(value):
    """A value as a reader sees it: 100000.0 -> 100,000 and 0.1 * 3 -> 0.3."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if abs(value) < 1e15 and value == int(value):
        return f"{int(value):,}"
    return f"{value:,.6g}"


def _frame(draw, parameters, alt):
    """Draw once. Leaves no figure open."""
    before = set(plt.get_fignums())
    try:
        sentence = draw(**parameters)
        made = [number for number in plt.get_fignums() if number not in before]
        if len(made) != 1:
            raise ValueError(
                f"draw left {len(made)} new pyplot figures open;"
                " it must make 1 and neither show nor close it"
            )
        if not (sentence is None or isinstance(sentence, str)):
            raise ValueError(
                f"draw returned {sentence!r}; it must return a sentence or None"
            )
        figure = plt.figure(made[0])
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=DOTS_PER_INCH)
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
    pixels = np.array(Image.open(png).convert("RGBA"))
    pixels[pixels[..., 3] == 0] = 0  # one way to be transparent
    return _Frame(pixels, figure.get_dpi() / DOTS_PER_INCH, alt, sentence)


def _image(pixels, scale, alt, attributes=""):
    """An <img> that carries its pixels."""
    height, width = (round(n * scale) for n in pixels.shape[:2])
    # A palette and lossless WebP: a third of the PNG's weight, and lines stay crisp.
    image = Image.fromarray(pixels).quantize(
        256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    webp = io.BytesIO()
    image.convert("RGBA").save(webp, "webp", lossless=True, quality=75, method=4)
    source = "data:image/webp;base64," + base64.b64encode(webp.getvalue()).decode()
    return (
        f'<img src="{source}" alt="{alt}" width="{width}" height="{height}"{attributes}'
        ' decoding="sync" style="max-width: 100%; height: auto">'
    )


def _without_what_is_common(frames):
    """The pixels that all frames share, and of each frame the others.

    Axes and labels mostly stay where they are from frame to frame: kept once, they make a page a
    third lighter. Frames of different sizes share nothing.
    """
    if len({frame.pixels.shape for frame in frames}) > 1:
        return None, [frame.pixels for frame in frames]
    stack = np.stack([frame.pixels for frame in frames])
    common = np.all(stack == stack[0], axis=(0, 3))[..., None]
    return np.where(common, stack[0], 0), list(np.where(common, 0, stack))


def _show_sliders(frame, values, indices, labels, play_ms):
    """The live face: a slider for each parameter above the frame."""
    main = next(iter(values))
    first = frame(
        indices
    ).html()  # outside the output widget, which would swallow an error
    width = max(len(labels[name]) for name in values)
    sliders = {
        name: widgets.SelectionSlider(
            options=[_text(value) for value in values[name]],
            index=indices[name],
            description=labels[name],
            continuous_update=False,
            style={"description_width": f"{width}ch"},
            layout={"width": "min(100%, 36rem)"},
        )
        for name in values
    }
    output = widgets.Output()

    def show(_change):
        with output:
            clear_output(wait=True)
            at = {name: sliders[name].index for name in values}
            display(HTML(frame(at).html()))

    for slider in sliders.values():
        slider.observe(show, names="index")
    rows = list(sliders.values())
    if play_ms is not None:
        player = widgets.Play(
            value=indices[main], max=len(values[main]) - 1, interval=play_ms
        )
        # Linked in the browser: in the kernel, each step would wait for the last figure.
        widgets.jslink((player, "value"), (sliders[main], "index"))
        rows.insert(1, widgets.HBox([widgets.Label(f"Play {labels[main]}"), player]))
    display(widgets.VBox([*rows, output]))
    with output:
        display(HTML(first))


def _page(frames, values, indices, labels, alt, play_ms):
    """The built page's face: HTML that shows the start, and that the book's script moves."""
    main = next(iter(values))
    texts = [escape(_text(value)) for value in values[main]]
    start, label = indices[main], escape(labels[main])
    common, own = _without_what_is_common(frames)
    pictures = "".join(
        f'<div class="explorer-frame{" shown" if i == start else ""}" data-value="{text}">'
        f"{frame.html(pixels)}</div>"
        for i, (text, frame, pixels) in enumerate(zip(texts, frames, own, strict=True))
    )
    if common is not None:  # described by the frames' own texts
        pictures = _image(common, frames[0].scale, "", ' aria-hidden="true"') + pictures
    button = note = ""
    if play_ms is not None:
        button = f'<button type="button" data-ms="{play_ms}" hidden>Play</button>'
    if len(values) > 1:
        held = (
            f"{labels[k]} = {_text(values[k][i])}"
            for k, i in indices.items()
            if k != main
        )
        note = (
            f"Held here: {', '.join(held)}. In Jupyter or Colab every parameter moves."
        )
        note = f'<p class="explorer-note">{escape(note)}</p>'
    return f"""
<div class="explorer" role="group" aria-label="{escape(alt)}">
<div class="explorer-controls">
<span>{label}: <output>{texts[start]}</output></span>
<input type="range" min="0" max="{len(frames) - 1}" step="1" value="{start}"
 aria-label="{label}" aria-valuetext="{texts[start]}" autocomplete="off" hidden>
{button}
</div>
<div class="explorer-frames">{pictures}</div>
{note}
</div>
"""
