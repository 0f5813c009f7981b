"""The explorer's two faces. That its page moves in a browser is checked with the built book."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import ipywidgets as widgets
import matplotlib

matplotlib.use("Agg")

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.display import HTML
from PIL import Image

from lectures_helpers.teaching import explore as module
from lectures_helpers.teaching.explore import explore


def draw_lines(σ, S=100, kind="solid"):
    """A figure that changes with each parameter, and its sentence."""
    _, ax = plt.subplots(figsize=(3, 2))
    ax.plot([0, S], [0, σ], linestyle=kind)
    ax.set(xlim=(0, 200), ylim=(0, 3))
    return f"σ = {σ}, S = {S} & {kind} <costs> $3 to $4"


@pytest.fixture
def shown(monkeypatch):
    """What `explore` displays, in order."""
    shown = []
    monkeypatch.setattr(module, "display", shown.append)
    monkeypatch.setattr(module, "clear_output", lambda wait: shown.append("cleared"))
    monkeypatch.delenv(module.STATIC_BUILD, raising=False)
    yield shown
    assert plt.get_fignums() == []


@pytest.fixture
def page(shown, monkeypatch):
    """Builds a page with `explore` and returns its elements."""
    monkeypatch.setenv(module.STATIC_BUILD, "1")

    def build(*args, **kwargs):
        assert explore(*args, **kwargs) is None
        (html,) = shown
        shown.clear()
        return parse(html.data)

    return build


class Elements(HTMLParser):
    """Every element of a page in order, with its text; fails where tags do not match."""

    def __init__(self):
        super().__init__()
        self.open, self.elements = [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        classes = attributes.get("class", "").split()
        element = SimpleNamespace(
            tag=tag, text="", attributes=attributes, classes=classes
        )
        self.elements.append(element)
        if tag not in ("img", "input"):
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        for element in self.open:
            element.text += data


def parse(html):
    parser = Elements()
    parser.feed(html)
    parser.close()
    assert parser.open == []

    def find(tag, cls=None):
        return [
            e for e in parser.elements if e.tag == tag and (not cls or cls in e.classes)
        ]

    return SimpleNamespace(html=html, find=find, one=lambda *query: only(find(*query)))


def only(elements):
    (element,) = elements
    return element


def picture(img):
    kind, data = img.attributes["src"].split(",")
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")


def frames_of(built):
    """What a reader sees at each value."""
    return [np.asarray(picture(image)) for image in built.find("img")]


# The built page


def test_page_has_a_frame_for_each_value_and_shows_the_start(page):
    built = page(
        draw_lines,
        {"σ": [0.5, 1.0, 2.0], "S": [50, 100]},
        start={"σ": 1.0, "S": 100},
        labels={"σ": "Spread σ", "S": "Level S (units)"},
        alt="A line.",
    )
    frames = built.find("div", "explorer-frame")
    assert [f.attributes["data-value"] for f in frames] == ["0.5", "1", "2"]
    assert ["shown" in f.classes for f in frames] == [False, True, False]
    # Each frame's sentence, as plain text: nothing in it is taken for HTML.
    assert [f.text for f in frames] == [
        f"σ = {σ}, S = 100 & solid <costs> $3 to $4" for σ in (0.5, 1.0, 2.0)
    ]
    assert [i.attributes["alt"] for i in built.find("img")] == [
        "A line; Spread σ = 0.5.",
        "A line; Spread σ = 1.",
        "A line; Spread σ = 2.",
    ]
    pixels = frames_of(built)
    assert all((a != b).any() for a, b in [pixels[:2], pixels[1:], pixels[::2]])


def test_page_controls_are_labelled(page):
    built = page(
        draw_lines, {"σ": [0.5, 2.0]}, alt="A line", labels={"σ": 'Spread "σ" <%>'}
    )
    slider = built.one("input")
    assert slider.attributes | {
        "min": "0",
        "max": "1",
        "value": "0",
        "type": "range",
    } == (slider.attributes)
    assert slider.attributes["aria-label"] == 'Spread "σ" <%>'
    assert slider.attributes["aria-valuetext"] == "0.5"
    assert (
        "hidden" in slider.attributes
    )  # until its script runs: without one it would not move
    assert built.one("output").text == "0.5"
    assert built.one("span").text == 'Spread "σ" <%>: 0.5'
    assert built.one("div", "explorer").attributes["aria-label"] == "A line"
    assert built.find("button") == []
    assert built.find("p", "explorer-note") == []  # nothing is held


def test_page_says_what_is_held(page):
    built = page(
        draw_lines,
        {"σ": [0.5, 2.0], "S": [50, 100_000.0], "kind": ["solid", "dotted"]},
        start={"S": 100_000, "kind": "dotted"},
        labels={"S": "Level S (units)"},
        alt="A line",
    )
    assert built.one("p", "explorer-note").text == (
        "Held here: Level S (units) = 100,000, kind = dotted."
        " In Jupyter or Colab every parameter moves."
    )


def test_page_moves_the_first_parameter(page):
    built = page(draw_lines, {"S": [50, 70, 90], "σ": [0.5, 2.0]}, alt="A line")
    values = [f.attributes["data-value"] for f in built.find("div", "explorer-frame")]
    assert values == ["50", "70", "90"]
    assert built.one("input").attributes["aria-label"] == "S"
    assert "σ = 0.5." in built.one("p", "explorer-note").text


def test_page_can_be_played(page):
    built = page(draw_lines, {"σ": [1, 2]}, alt="A line", play_ms=250)
    button = built.one("button")
    assert button.text == "Play"
    assert button.attributes["data-ms"] == "250"
    assert button.attributes["type"] == "button"


def test_page_needs_no_network_and_no_ids(page):
    built = page(draw_lines, {"σ": [1, 2]}, alt="A line", play_ms=500)
    assert "://" not in built.html
    assert "id=" not in built.html  # so that several explorers stand on one page


def test_page_is_the_same_each_time(page):
    first, second = (
        page(draw_lines, {"σ": [1, 2]}, alt="A line").html for _ in range(2)
    )
    assert first == second


def test_frame_keeps_colours_transparency_and_size(page):
    colors = [
        "#000000",
        "#0072B2",
        "#D55E00",
        "#009E73",
        "#CC79A7",
        "#E69F00",
        "#56B4E9",
    ]

    def draw(n):
        fig = plt.figure(figsize=(4, 2), facecolor="none", dpi=120)
        for i, color in enumerate(colors):
            left, bottom, width, height = i / 8, 0.0, 1 / 8, 0.5
            fig.add_artist(plt.Rectangle((left, bottom), width, height, color=color))
        fig.text(
            0.5, 0.7, "edges of letters, in many greys", color="#808080", ha="center"
        )
        return None

    image = page(draw, {"n": [1, 2]}, alt="Colours").find("img")[0]
    assert (image.attributes["width"], image.attributes["height"]) == ("480", "240")
    frame = picture(image)
    width, height = frame.size
    assert (width, height) == (4 * module.DOTS_PER_INCH, 2 * module.DOTS_PER_INCH)
    assert frame.getpixel((width - 1, 0))[3] == 0
    for i, color in enumerate(colors):
        wanted = np.array([*bytes.fromhex(color[1:]), 255])
        seen = np.array(
            frame.getpixel((int((i + 0.5) * width / 8), int(0.75 * height)))
        )
        # The palette rounds: 8 of 255 is less than an eye tells apart.
        assert np.abs(seen - wanted).max() <= 8, color


def test_page_of_21_frames_stays_light(page):
    x = np.linspace(1, 400, 200)

    def draw(Q):
        _, ax = plt.subplots(figsize=(7, 4))
        ax.plot(x, 2000 / x)
        ax.plot(x, x / 10)
        ax.plot(Q, 2000 / Q + Q / 10, "o")
        ax.set(ylim=(0, 80), xlabel="Lot size Q (units)", ylabel="Cost a day")
        return f"At Q = {Q} units the cost is {2000 / Q + Q / 10:.2f} a day."

    built = page(draw, {"Q": np.arange(50, 260, 10)}, alt="Cost against lot size")
    assert len(built.find("div", "explorer-frame")) == 21
    assert len(built.html) < 400_000  # some 17 kB a frame


def test_error_in_any_frame_fails_the_build(page):
    def draw(n):
        plt.figure()
        if n == 3:
            raise RuntimeError("no such frame")

    with pytest.raises(RuntimeError, match="no such frame"):
        page(draw, {"n": [1, 2, 3]}, alt="Nothing")


def test_other_figures_stay_open(page):
    other = plt.figure()
    page(draw_lines, {"σ": [1, 2]}, alt="A line")
    assert plt.get_fignums() == [other.number]
    plt.close(other)


# A model in the page


def build_model(page, **changes):
    asked = {
        "values": {"σ": [0.5, 1.0, 2.0], "kind": ["solid", "dotted"]},
        "start": {"σ": 1.0},
        "labels": {"σ": "Spread σ"},
        "model": "sawtooth",
        "given": {"key": np.array([0, 3]), "note": "</script>"},
    }
    return page(draw_lines, alt="A line.", **(asked | changes))


def test_model_has_its_start_and_its_data(page):
    built = build_model(page, play_ms=250)
    assert built.one("div", "explorer").attributes["data-model"] == "sawtooth"
    assert built.one("img").attributes["alt"] == "A line; Spread σ = 1."
    assert built.one("p").text.startswith("σ = 1.0, S = 100 & solid <costs>")
    data = json.loads(built.one("script").text)
    assert data == {
        "alt": "A line.",
        "given": {"key": [0, 3], "note": "</script>"},
        "parameters": [
            {
                "name": "σ",
                "label": "Spread σ",
                "values": [0.5, 1.0, 2.0],
                "texts": ["0.5", "1", "2"],
                "start": 1,
            },
            {
                "name": "kind",
                "label": "kind",
                "values": ["solid", "dotted"],
                "texts": ["solid", "dotted"],
                "start": 0,
            },
        ],
        "play": {"name": "σ", "ms": 250},
    }
    assert built.find("input") == built.find("button") == []


def test_model_takes_many_values(page):
    built = build_model(page, values={"σ": np.arange(1.0, 400.0)})
    (of_σ,) = json.loads(built.one("script").text)["parameters"]
    assert len(of_σ["values"]) == 399


def test_live_kernel_leaves_the_model_to_the_page(shown):
    explore(draw_lines, {"σ": [1, 2]}, alt="A line", model="any", given={"x": 1})
    assert list(live(shown).sliders) == ["σ"]


# The live kernel


def live(shown):
    """The sliders by label, the player if any, and what was shown after them."""
    box, *rest = shown
    sliders = {
        w.description: w for w in box.children if isinstance(w, widgets.SelectionSlider)
    }
    players = [c for w in box.children for c in getattr(w, "children", ())]
    return SimpleNamespace(
        box=box,
        sliders=sliders,
        player=next((w for w in players if isinstance(w, widgets.Play)), None),
        frames=rest,
    )


def test_live_has_a_slider_for_each_parameter_and_draws_once(shown):
    calls = []

    def draw(**parameters):
        calls.append(parameters)
        return draw_lines(**parameters)

    explore(
        draw,
        {"S": [50, 100], "σ": [0.5, 1.0], "kind": ["solid", "dotted"]},
        start={"S": 100},
        labels={"S": "Level S (units)"},
        alt="A line",
    )
    face = live(shown)
    assert list(face.sliders) == ["Level S (units)", "σ", "kind"]
    assert all(s.continuous_update is False for s in face.sliders.values())
    assert face.sliders["Level S (units)"].value == "100"
    assert face.player is None
    assert isinstance(face.box.children[-1], widgets.Output)
    assert calls == [{"σ": 0.5, "S": 100, "kind": "solid"}]
    (frame,) = face.frames
    assert isinstance(frame, HTML)
    built = parse(frame.data)
    assert built.one("img").attributes["alt"] == "A line; Level S (units) = 100."
    assert built.one("p").text == "σ = 0.5, S = 100 & solid <costs> $3 to $4"


def test_live_redraws_when_a_slider_moves(shown):
    explore(draw_lines, {"σ": [0.5, 1.0], "S": [50, 100]}, alt="A line")
    face = live(shown)
    face.sliders["S"].index = 1
    face.sliders["σ"].value = "1"
    sentences = [
        "cleared" if f == "cleared" else parse(f.data).one("p").text.split(" &")[0]
        for f in shown[1:]
    ]
    assert sentences == [
        "σ = 0.5, S = 50",
        "cleared",
        "σ = 0.5, S = 100",
        "cleared",
        "σ = 1.0, S = 100",
    ]
    assert plt.get_fignums() == []


def test_live_shows_the_frame_of_the_page(shown, page):
    arguments = (draw_lines, {"σ": [0.5, 1.0]})
    built = page(*arguments, alt="A line")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(module.STATIC_BUILD)
        explore(*arguments, alt="A line")
    live = parse(shown[1].data)
    frame = built.find("div", "explorer-frame")[0]
    assert live.one("p").text == frame.text
    for attribute in ("alt", "width", "height"):
        assert (
            live.one("img").attributes[attribute]
            == built.find("img")[0].attributes[attribute]
        )
    np.testing.assert_array_equal(picture(live.one("img")), frames_of(built)[0])


def test_live_player_is_linked_to_the_first_slider(shown):
    explore(
        draw_lines,
        {"σ": [0.5, 1.0, 2.0]},
        start={"σ": 1.0},
        alt="A line",
        play_ms=250,
    )
    player = live(shown).player
    assert (player.min, player.max, player.value, player.interval) == (0, 2, 1, 250)


def test_live_error_at_the_start_is_raised(shown):
    def draw(n):
        plt.figure()
        raise RuntimeError(f"no figure for {n}")

    with pytest.raises(RuntimeError, match="no figure for 1"):
        explore(draw, {"n": [1, 2]}, alt="Nothing")
    assert shown == []


@pytest.mark.parametrize("value", ["", "0", "true"])
def test_only_1_means_a_built_page(shown, monkeypatch, value):
    monkeypatch.setenv(module.STATIC_BUILD, value)
    explore(draw_lines, {"σ": [1, 2]}, alt="A line")
    assert isinstance(shown[0], widgets.VBox)


# What draw may be given and return


@pytest.mark.parametrize(
    ("values", "types"),
    [
        (np.linspace(0.5, 1, 3), float),
        (np.arange(3), int),
        (jnp.arange(3), int),
        (range(3), int),
        ((1.0, 2.0), float),
        (["gamma", "normal"], str),
    ],
)
def test_draw_gets_plain_values(page, values, types):
    seen = []

    def draw(a):
        seen.append(a)
        plt.figure()

    page(draw, {"a": values}, alt="Nothing")
    assert [type(a) for a in seen] == [types] * len(values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (100_000.0, "100,000"),
        (1_234_567, "1,234,567"),
        (12_345.678, "12,345.7"),
        (-2, "-2"),
        (1e-7, "1e-07"),
        (1e20, "1e+20"),
        (float("inf"), "inf"),
        (True, "True"),
        ("gamma", "gamma"),
    ],
)
def test_values_read_well(value, text):
    assert module._text(value) == text


def test_start_is_found_as_the_reader_sees_it(shown):
    values = {"σ": np.arange(1, 6) * 0.1}  # holds 0.30000000000000004
    explore(draw_lines, values, start={"σ": 0.3}, alt="A line")
    assert live(shown).sliders["σ"].index == 2


def test_no_sentence_no_paragraph(page):
    def draw(n):
        plt.figure()

    assert page(draw, {"n": [1, 2]}, alt="Nothing").find("p") == []


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda n: None, "draw left 0 new pyplot figures open; it must make 1"),
        (lambda n: [plt.figure(), plt.figure()], "draw left 2 new pyplot figures open"),
        (
            lambda n: plt.figure(),
            "draw returned <Figure .*; it must return a sentence or None",
        ),
        (lambda n: plt.close(plt.figure()), "draw left 0 new pyplot figures open"),
    ],
)
@pytest.mark.parametrize("static", ["0", "1"])
def test_draw_that_breaks_its_contract(shown, monkeypatch, draw, message, static):
    monkeypatch.setenv(module.STATIC_BUILD, static)
    with pytest.raises(ValueError, match=message):
        explore(draw, {"n": [1, 2]}, alt="Nothing")


# Bad input

GOOD = {
    "draw": draw_lines,
    "values": {"σ": [0.5, 1.0], "S": [50, 100]},
    "alt": "A line",
}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"draw": 3}, "draw = 3 must be a function"),
        ({"alt": " "}, "alt = ' ' must say"),
        ({"alt": None}, "alt = None must say"),
        ({"values": {}}, "values = {} must map at least one"),
        ({"values": [1, 2]}, "values = [1, 2] must map"),
        ({"values": {"σ": []}}, "values['σ'] = [] must hold at least one value"),
        ({"values": {"σ": 3}}, "values['σ'] = 3 must be a sequence"),
        ({"values": {"σ": "gamma"}}, "values['σ'] = 'gamma' must be a sequence"),
        ({"values": {"σ": [1, 1.0]}}, "values['σ'] = ['1', '1'] must differ"),
        (
            {"values": {"σ": [1]}},
            "values['σ'] has 1 values; the first parameter takes 2 to 60",
        ),
        ({"values": {"σ": range(61)}}, "values['σ'] has 61 values"),
        ({"start": {"μ": 1}}, "start names 'μ', not one of the parameters ['σ', 'S']"),
        ({"start": {"σ": 0.7}}, "start['σ'] = 0.7 must be one of 0.5, 1"),
        ({"start": 0.5}, "start = 0.5 must map"),
        ({"labels": {"μ": "Mean"}}, "labels names 'μ', not one of"),
        ({"labels": "Mean"}, "labels = 'Mean' must map"),
        ({"play_ms": 0}, "play_ms must be >= 1, got 0"),
        ({"play_ms": float("nan")}, "play_ms must be finite, got nan"),
        ({"play_ms": "fast"}, "play_ms must be a number, got 'fast'"),
        ({"model": ""}, "model = '' must be the name of a model"),
        ({"model": 3}, "model = 3 must be the name of a model"),
        ({"given": {"x": 1}}, "model must be named, since given = {'x': 1}"),
        ({"model": "m", "given": [1]}, "given = [1] must be a mapping"),
        ({"model": "m", "given": {"x": np.nan}}, "given must hold finite numbers"),
        ({"model": "m", "given": {"x": {1}}}, "given must hold finite numbers"),
        ({"model": "m", "given": {"x": "a" * 50_000}}, "at most 40000 are fine"),
    ],
)
@pytest.mark.parametrize("static", ["0", "1"])
def test_bad_input_names_the_argument_its_value_and_the_bound(
    shown, monkeypatch, bad, message, static
):
    monkeypatch.setenv(module.STATIC_BUILD, static)
    with pytest.raises(ValueError, match=re.escape(message)):
        explore(**(GOOD | bad))
    assert shown == []


def test_other_parameters_may_have_one_value_or_many(shown):
    explore(
        draw_lines, {"σ": [1, 2], "S": range(50, 150), "kind": ["solid"]}, alt="A line"
    )
    assert len(live(shown).sliders["S"].options) == 100
