"""Figures that lectures share: what is drawn, and where."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.teaching import figures
from tools import course

PARAMS = ss.create_parameters()


@pytest.fixture(autouse=True)
def restored():
    """Each test leaves matplotlib as it found it."""
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


@pytest.fixture
def untouched():
    """Another figure, current while the functions draw on `ax`: nothing may land on it."""
    other = plt.subplots()[1]
    yield
    assert not other.has_data()
    assert not other.texts


# ------------------------------------------------------------------ style, colours


@pytest.mark.parametrize(("build", "sheet"), [("1", "none"), ("", "white")])
def test_style_applies_when_asked_and_not_before(monkeypatch, build, sheet):
    monkeypatch.setenv(figures.STATIC_BUILD, build)
    before = dict(mpl.rcParams)
    figures.use_style()
    wanted = figures.STYLE | dict.fromkeys(figures.SHEETS, sheet)
    for name, value in wanted.items():
        # matplotlib keeps some settings as lists, where we write tuples
        assert mpl.rcParams[name] == value or tuple(mpl.rcParams[name]) == value, name
    changed = {name for name in before if mpl.rcParams[name] != before[name]}
    assert changed <= set(wanted)
    figure, ax = plt.subplots()
    assert tuple(figure.get_size_inches()) == figures.STYLE["figure.figsize"]
    assert not ax.spines["top"].get_visible()
    assert to_hex(ax.plot([0, 1])[0].get_color()).upper() == figures.SEQUENCE[0]
    figure.draw_without_rendering()  # warnings are errors


def test_notebooks_get_dense_pictures(monkeypatch):
    from matplotlib_inline import backend_inline

    asked = []
    monkeypatch.setattr(figures, "get_ipython", lambda: "a shell")
    monkeypatch.setattr(backend_inline, "set_matplotlib_formats", asked.append)
    figures.use_style()
    assert asked == ["retina"]


def luminance(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """As in WCAG 2."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


DARK_FILTER = "filter: invert(1) hue-rotate(180deg) brightness(1.2);"


def by_night(color):
    """What the style sheet makes of a colour on a dark page: the filters of CSS, as specified."""
    inverted = 1 - np.array(to_rgb(color))
    # hue-rotate(180deg): cosine -1, sine 0
    grey = np.array([0.213, 0.715, 0.072])
    turned = np.clip(2 * grey @ inverted - inverted, 0, 1)
    return np.clip(1.2 * turned, 0, 1)


def test_the_book_turns_figures_by_the_filter_that_is_measured_here():
    css = (course.ROOT / "book" / "assets" / "course.css").read_text(encoding="utf-8")
    assert DARK_FILTER in css


PAGES = {"light": np.array(to_rgb("#FFFFFF")), "dark": np.array(to_rgb("#121212"))}
LINE_COLORS = {*figures.COLORS.values(), *figures.SEQUENCE, figures.NEUTRAL}


@pytest.mark.parametrize("page", PAGES)
class TestContrast:
    def of(self, color, page):
        shown = by_night(color) if page == "dark" else np.array(to_rgb(color))
        return contrast(shown, PAGES[page])

    @pytest.mark.parametrize("color", sorted(LINE_COLORS))
    def test_lines_are_seen(self, color, page):
        assert self.of(color, page) >= 3

    @pytest.mark.parametrize("color", sorted(LINE_COLORS | {"#56B4E9", "yellow"}))
    def test_text_in_a_colour_is_read(self, color, page):
        assert self.of(figures.ink(color), page) >= 4.5

    def test_text_and_axes_are_read(self, page):
        for color in (figures.TEXT, figures.NEUTRAL):
            assert self.of(color, page) >= 4.5

    def test_a_total_is_no_axis(self, page):
        assert self.of(figures.COLORS["total"], page) > 1.8 * self.of(
            figures.NEUTRAL, page
        )


def test_ink_of_a_dark_colour_is_that_colour():
    assert figures.ink("#0072B2").upper() == "#0072B2"


def test_colours_differ():
    assert len(set(figures.COLORS.values())) == len(figures.COLORS)
    assert len(set(figures.SEQUENCE)) == len(figures.SEQUENCE)


# ------------------------------------------------------------------------ drawings


def test_inventory_path_has_a_dot_at_each_restock(ax, untouched):
    path = [30.0, 10.0, 95.0, 8.0, 99.0, 5.0]
    figures.inventory_path(ax, path, PARAMS)
    steps, dots = ax.lines
    assert steps.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(
        steps.get_xydata(), np.column_stack([np.arange(6), path])
    )
    # at s counts; the last date does not: no period follows in which the firm could restock
    np.testing.assert_array_equal(dots.get_xydata(), [[1, 10], [3, 8]])
    assert {steps.get_color(), dots.get_color()} == {figures.COLORS["inventory"]}


def test_inventory_path_takes_a_simulated_one(ax):
    import jax

    path = ss.sample_path(PARAMS, 50.0, 40, key=jax.random.key(0))
    figures.inventory_path(ax, path, PARAMS)
    assert ax.lines[0].get_xdata().size == 41
    assert ax.lines[0].get_color() == figures.COLORS["inventory"]


def test_restock_levels_are_drawn_and_named(ax, untouched):
    figures.restock_levels(ax, PARAMS)
    assert [line.get_ydata()[0] for line in ax.lines] == [10.0, 100.0]
    assert [text.get_text() for text in ax.texts] == ["s = 10", "S = 100"]
    assert ax.get_legend_handles_labels()[1] == []


def test_histogram_is_a_density(ax, untouched):
    sample, bins = [0.5, 1.5, 1.7, 9.0], [0.0, 1.0, 3.0]
    figures.inventory_histogram(ax, sample, bins, label="ψ")
    (steps,) = ax.patches
    values, edges, _ = steps.get_data()
    # 1 of 4 in a bin of width 1, 2 of 4 in one of width 2; the fourth lies outside
    np.testing.assert_allclose(values, [0.25, 0.25], rtol=1e-15)
    np.testing.assert_array_equal(edges, bins)
    assert steps.get_fill()
    assert ax.get_legend_handles_labels()[1] == ["ψ"]


def test_density_of_an_exact_law(ax, untouched):
    law = ss_exact.marginal(PARAMS, 50.0, 1)
    figures.law_density(ax, law, num_points=101, color="blue", label="exact")
    (line,) = ax.lines
    x, y = line.get_data()
    np.testing.assert_allclose(
        x, np.arange(1.0, 101.0), rtol=1e-12
    )  # without 0, the atom's place
    np.testing.assert_array_equal(y, law.density(x))
    assert line.get_color() == "blue"
    assert line.get_label() == "exact"


def test_end_label_stands_beside_the_end(ax, untouched):
    figures.end_label(ax, 3.0, 4.0, "t = 10", "green", offset=(7, 1))
    (text,) = ax.texts
    assert text.get_text() == "t = 10"
    assert text.get_color() == figures.ink("green")
    assert text.xy == (3.0, 4.0)
    assert text.xyann == (7, 1)


def test_everything_together_can_be_saved(ax, tmp_path):
    figures.use_style()
    figures.inventory_path(ax, [50.0, 5.0, 96.0], PARAMS)
    figures.restock_levels(ax, PARAMS)
    figures.end_label(ax, 2, 96.0, "X", figures.NEUTRAL)
    ax.figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000
