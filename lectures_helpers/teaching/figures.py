"""Figures that several lectures draw, in one style: one meaning, one colour.

Colours are the Okabe–Ito palette, told apart by colour-blind readers too, with its
two palest darkened until a thin line can be seen on white.  They are chosen for a
light page; on a dark one the book's style sheet turns light into dark and keeps the
hues.  Every function draws on the axes that it is given.
"""

import os
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from jax.typing import ArrayLike
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from lectures_helpers.teaching import intervals

__all__ = [
    "COLORS", "LINES", "NEUTRAL", "SEQUENCE", "TEXT", "THICK", "cost_parts", "curve",
    "end_label", "ink", "inventory_histogram", "inventory_path", "law_density", "long_enough",
    "relevant_costs", "restock_levels", "round_up", "simulated_band", "use_style",
]  # fmt: skip

#: Text, and the total of what is drawn: the text's own colour on a light page.
TEXT = "#222832"

#: Axes and reference lines: lighter than text, and than any total.
NEUTRAL = "#5B626D"

#: Colour of each quantity, in every lecture: 3:1 as a line, on light and dark pages.
COLORS = {
    "inventory": "#BF8600",
    "demand": "#3B9AD0",
    "holding": "#0072B2",
    "backorder": "#D55E00",
    "setup": "#009E73",
    "production": "#7F7F7F",
    "fill rate": "#CC79A7",
    "total": TEXT,
}

#: Line width of a total, beside the thinner lines of its parts.
THICK = 2.6

#: Line style of each part of the cost, so that colour is not all that tells them apart.
LINES: dict[str, Any] = {
    "total": "-",
    "production": ":",
    "setup": "-.",
    "holding": "--",
    "backorder": (0, (5, 1, 1, 1, 1, 1)),
}

#: Colours for a sequence (dates, say), in order.
SEQUENCE = ("#BF8600", "#3B9AD0", "#009E73", "#CC79A7", "#D55E00", "#0072B2")

# Settings that share a value.
INK = "axes.labelcolor", "text.color", "xtick.labelcolor", "ytick.labelcolor"
GREY = "axes.edgecolor", "xtick.color", "ytick.color"
LARGE = "axes.titlesize", "font.size", "figure.labelsize"
SMALL = "xtick.labelsize", "ytick.labelsize", "legend.fontsize"
PLAIN = "axes.spines.top", "axes.spines.right", "legend.frameon"
STYLE: dict[Any, Any] = {
    **dict.fromkeys(INK, TEXT),
    **dict.fromkeys(GREY, NEUTRAL),
    **dict.fromkeys(LARGE, 11.5),
    **dict.fromkeys(SMALL, 11),
    **dict.fromkeys(PLAIN, False),
    "figure.figsize": (6.0, 3.6),
    "figure.dpi": 120,
    "figure.constrained_layout.use": True,
    "axes.prop_cycle": plt.cycler(color=SEQUENCE),
    "lines.linewidth": 1.6,
}

# The book's pages lie under its figures; elsewhere a figure brings its white sheet with it,
# since nobody turns its colours on a dark screen.
SHEETS = "figure.facecolor", "savefig.facecolor", "axes.facecolor"
STATIC_BUILD = "LECTURES_STATIC_BUILD"  # set by the book's build


def use_style() -> None:
    """Set the course's matplotlib style for the rest of the session.

    In a notebook, figures then have two pixels for each one of the page: screens are dense.
    """
    sheet = "none" if os.environ.get(STATIC_BUILD) == "1" else "white"
    plt.rcParams.update(STYLE | dict.fromkeys(SHEETS, sheet))
    if get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


def ink(color: Any) -> str:
    """The shade of a line's colour in which text can be read: 4.5:1 on a light page.

    >>> ink("#0072B2"), ink("#BF8600")  # one that is dark enough, one that is not
    ('#0072b2', '#996b00')
    """
    rgb = np.array(to_rgb(color))
    for share in np.linspace(1, 0, 51):
        shade = share * rgb
        # Luminance, as the Web Content Accessibility Guidelines define it.
        linear = np.where(
            shade <= 0.04045, shade / 12.92, ((shade + 0.055) / 1.055) ** 2.4
        )
        if 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) > 4.55:
            break
    return to_hex(shade)


def round_up(x: float) -> float:
    """The least of 1, 2, 3, 4, 5, 6, 8 times powers of ten from x on.

    An axis that ends there stays, for most of the way, while an explorer's curves move.

    Args:
        x: a number > 0.

    >>> round_up(671.0), round_up(0.3)
    (800.0, 0.3)
    """
    power = 10.0 ** np.floor(np.log10(x))
    steps = (step * power for step in (1, 2, 3, 4, 5, 6, 8, 10))
    return float(f"{next(step for step in steps if step >= x * (1 - 1e-12)):.12g}")


def long_enough(lengths: Sequence[float], needed: float) -> float:
    """The first of some lengths of an axis that is long enough, or else the last.

    >>> long_enough((25, 50, 75), 30.0)
    50
    """
    return next((length for length in lengths if needed <= length), lengths[-1])


def inventory_path(ax: Axes, path: ArrayLike, params: Any) -> None:
    """Draw one sample path as steps, with a dot wherever the firm restocks.

    Args:
        ax: matplotlib axes.
        path: (T + 1,) inventories at dates 0, ..., T, units.
        params: what has a restock point `s`, as s–S parameters do.
    """
    path, color = np.asarray(path), COLORS["inventory"]
    ax.step(np.arange(path.size), path, where="post", color=color)
    due = np.flatnonzero(path[:-1] <= params.s)
    ax.plot(due, path[due], "o", color=color, markersize=5)


def restock_levels(ax: Axes, params: Any) -> None:
    """Draw s and S as dashed lines across the axes, labelled at their right end."""
    for level, name in ((params.s, "s"), (params.S, "S")):
        ax.axhline(level, color=NEUTRAL, linestyle="--", linewidth=1)
        ax.annotate(
            f"{name} = {level:g}", (1, level), xycoords=("axes fraction", "data"),
            xytext=(4, 0), textcoords="offset points", va="center",
        )  # fmt: skip


def inventory_histogram(
    ax: Axes,
    sample: ArrayLike,
    bins: ArrayLike,
    *,
    color: str = COLORS["inventory"],
    label: str | None = None,
) -> None:
    """Draw simulated stocks as a histogram of density: a filled band, no bars.

    Args:
        ax: matplotlib axes.
        sample: (n,) inventories, units.
        bins: bin borders, units; what lies outside does not count.
        color: colour of the steps.
        label: for a legend.
    """
    counts, bins = np.histogram(sample, bins)
    density = counts / (np.size(sample) * np.diff(bins))
    ax.stairs(density, bins, color=color, alpha=0.45, fill=True, label=label)


def law_density(
    ax: Axes,
    law: Any,
    *,
    color: str = COLORS["inventory"],
    label: str | None = None,
    num_points: int = 601,
) -> None:
    """Draw the density of an exact law on (0, S) as a thin solid line.

    Args:
        ax: matplotlib axes.
        law: a law with ``density`` and ``params``, as `ss_exact` returns.
        color: colour of the line.
        label: for a legend.
        num_points: points drawn.
    """
    x = np.linspace(0, law.params.S, num_points)[1:]
    ax.plot(x, law.density(x), color=color, linewidth=1.2, label=label)


def end_label(
    ax: Axes, x: float, y: float, text: str, color: str, *, offset: tuple = (5, 0)
) -> None:
    """Write `text` at the end (x, y) of a curve, in the curve's colour, dark enough to read."""
    ax.annotate(
        text, (x, y), xytext=offset, textcoords="offset points", color=ink(color),
        va="center",
    )  # fmt: skip


def curve(
    ax: Axes,
    x: ArrayLike,
    simulated: ArrayLike | None,
    exact: ArrayLike,
    color: str,
    linestyle: Any = "-",
    label: str | None = None,
    width: float = 1.2,
) -> None:
    """Draw an exact curve, and replications beside it as points in a 95 % band.

    Args:
        ax: matplotlib axes.
        x: (n,) where the values stand.
        simulated: (n, replications) values, or None.
        exact: (n,) values.
        color: of all of it.
        linestyle: of the exact curve.
        label: for a legend.
        width: of the exact curve, points.
    """
    if simulated is not None:
        mean, half_width, _ = intervals.interval(simulated)
        simulated_band(ax, x, mean, half_width, color=color)
        ax.plot(x, mean, "o", color=color, markersize=3)
    ax.plot(x, exact, color=color, linestyle=linestyle, label=label, linewidth=width)


def relevant_costs(ax: Axes, x: ArrayLike, simulated: Any, exact: Any) -> None:
    """Draw holding and backorder cost per demand, and their sum thick.

    Args:
        ax: matplotlib axes.
        x: (n,) where the policies stand.
        simulated: their simulated performance, or None.
        exact: their exact performance.
    """
    for part, name, width in (
        ("relevant", "total", THICK),
        ("holding", "holding", 1.4),
        ("backorder", "backorder", 1.4),
    ):
        seen = None if simulated is None else getattr(simulated.costs, part)
        style = COLORS[name], LINES[name], name, width
        curve(ax, x, seen, getattr(exact.costs, part), *style)
    ax.set(ylabel="Relevant cost per demand (€)", ylim=(0, None))


def simulated_band(
    ax: Axes, x: ArrayLike, mean: np.ndarray, half_width: np.ndarray, *, color: str
) -> None:
    """Draw the 95 % intervals of simulated means as a band.

    Args:
        ax: matplotlib axes.
        x: (n,) where they stand.
        mean: (n,) means over replications.
        half_width: (n,) half the width of the intervals, as `intervals.interval` gives.
        color: colour of the band, that of the exact line it belongs to.
    """
    low, high = mean - half_width, mean + half_width
    ax.fill_between(x, low, high, color=color, alpha=0.25, linewidth=0)


def cost_parts(
    ax: Axes,
    x: ArrayLike,
    costs: Any,
    parts: Sequence[str] = ("total", "holding", "setup", "production"),
) -> None:
    """Draw exact costs and their parts, each in its colour and line style.

    Args:
        ax: matplotlib axes.
        x: (n,) the policies, a lot size or a level.
        costs: what has a field (n,) for each of the parts, as the classical models return.
        parts: which to draw, of those in `LINES`.
    """
    for part in parts:
        curve(ax, x, None, getattr(costs, part), COLORS[part], LINES[part], part)
