"""The built book in a real browser: what a reader of the published pages sees.

Needs a built book (`make book`) and Chromium; without one of them these tests are skipped.
(In CI a book that is missing or old fails in test_site_files.py, and a missing browser here.)
"""

import base64
import io
import os
import re
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import quote

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
import site_browser
import site_pages
from page_modules import extension
from PIL import Image
from playwright.sync_api import sync_playwright

from lectures_helpers.teaching import explore
from tools import course, offline

NO_BROWSER = (
    "no Chromium was found: install Debian's `chromium` (apt-get install chromium), or name"
    " one in the variable CHROMIUM"
)
FAULT = site_pages.BOOK_FAULT or ("" if site_browser.BROWSER else NO_BROWSER)
if FAULT == NO_BROWSER and os.environ.get("GITHUB_ACTIONS"):
    pytest.fail(FAULT, pytrace=False)
# Not the module as a whole: so the last line of a run can say how many (tests/conftest.py).
pytestmark = pytest.mark.skipif(bool(FAULT), reason=FAULT)

BUILT, NAMES = site_pages.BUILT, site_pages.NAMES
CHAPTERS = [page.name for page in course.pages() if page.chapter]
DEMOS = {
    name: [int(n) for n in re.findall(r"^\(demo-(\d+)\)=$", text, re.MULTILINE)]
    for name in NAMES
    for text in [(course.ROOT / f"{name}.md").read_text(encoding="utf-8")]
}


# One browser for the module, gone with it: Playwright's event loop must not meet another test's.
@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=site_browser.BROWSER, args=site_browser.OPTIONS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def phone(browser):
    """Settings of a phone; what it has loaded once it need not load for the next page."""
    context = browser.new_context(
        viewport=site_browser.PHONE,
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        color_scheme="light",
        reduced_motion="reduce",
    )
    yield context
    context.close()


@pytest.fixture(scope="module")
def without_scripts(browser):
    context = browser.new_context(java_script_enabled=False)
    yield context
    context.close()


@pytest.fixture(scope="module")
def address():
    with site_browser.serving(BUILT) as address:
        yield address


@pytest.fixture(scope="module", params=[*NAMES, "genindex", "search"])
def visit(request, phone, address):
    """One page, loaded once for all the tests that look at it."""
    visit = site_browser.Visit(phone, address, request.param)
    yield visit
    visit.page.evaluate("localStorage.clear()")  # the next page starts in daylight
    visit.page.close()


# The order matters: the page is looked at as it was loaded, then opened, then dark.


class TestInTheBrowser:
    def test_needs_no_network(self, visit):
        site_pages.check(visit.name, visit.outside)

    def test_finds_all_its_files(self, visit):
        site_pages.check(visit.name, visit.missing)

    def test_has_no_error_in_a_script(self, visit):
        site_pages.check(visit.name, visit.errors)

    def test_typesets_its_mathematics(self, visit):
        site_pages.check(visit.name, visit.run("mathematics"))

    def test_solutions_and_code_open(self, visit):
        site_pages.check(visit.name, site_browser.opening_faults(visit))

    def test_explorers_move(self, visit):
        site_pages.check(visit.name, site_browser.explorer_faults(visit))

    def test_lectures_have_explorers(self, visit):
        site_pages.check(visit.name, missing_explorers(visit))

    def test_shows_its_pictures(self, visit):
        site_pages.check(visit.name, visit.run("pictures"))

    def test_fits_a_phone(self, visit):
        site_pages.check(visit.name, visit.run("overflow"))

    def test_breaks_its_lines_where_a_reader_would(self, visit):
        site_pages.check(visit.name, visit.run("lineBreaks"))

    def test_scrolls_by_the_keyboard(self, visit):
        site_pages.check(visit.name, visit.run("outOfReach"))

    def test_is_open_to_everybody_by_day_and_by_night(self, visit):
        faults = [f"by day: {fault}" for fault in site_browser.access_faults(visit)]
        if visit.dark():
            night = site_browser.access_faults(visit, site_browser.COLOURS)
            night += visit.run("whiteBoxes")
            faults += [f"in dark mode: {fault}" for fault in night]
        else:
            faults.append("does not turn dark when its switch is pressed")
        site_pages.check(visit.name, faults)


def test_code_reads_by_day_and_by_night(phone, address):
    visit = site_browser.Visit(phone, address, CHAPTERS[0])
    of_code = (site_browser.COLOURS, site_browser.CODE)
    faults = site_browser.access_faults(visit, *of_code)
    assert visit.dark()
    faults += site_browser.access_faults(visit, *of_code)
    visit.page.evaluate("localStorage.clear()")
    visit.page.close()
    site_pages.check(visit.name, faults)


def test_contents_show_where_the_reader_is(browser, address):
    """Down the page and up again; at its end the last section, which may not reach the line."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    visit = site_browser.Visit(context, address, CHAPTERS[0])
    down = [i / 20 for i in range(20)]
    found = [visit.run("contentsAt", share) for share in down + down[::-1]]
    context.close()
    faults = [
        f"at place {i} its contents mark {at['marked']}, not {at['here']}"
        for i, at in enumerate(found)
        if at["marked"] != at["here"]
    ]
    assert len({str(at["here"]) for at in found}) > 5
    site_pages.check(CHAPTERS[0], faults)


def test_every_demo_has_a_section():
    faults = demo_faults([n for demos in DEMOS.values() for n in demos])
    assert not faults, faults[0]


def demo_faults(numbers):
    missing = set(range(1, max(numbers) + 1)) - set(numbers)
    twice = {n for n in numbers if numbers.count(n) > 1}
    return [
        f"no section is labelled (demo-{n})=: number the demos without a gap"
        for n in sorted(missing)
    ] + [f"two sections are labelled (demo-{n})=" for n in sorted(twice)]


def missing_explorers(visit):
    """A chapter has an explorer, and so has the section of every demo."""
    faults = []
    if visit.name in CHAPTERS and not visit.page.locator(".explorer").count():
        faults.append("is a lecture and has no explorer: call explore.explore")
    for number in DEMOS.get(visit.name, []):
        section = visit.page.locator(f"section:has(> #demo-{number}), #demo-{number}")
        if not section.locator(".explorer").count():
            faults.append(f"has no explorer in the section of demo {number}")
    return faults


@pytest.mark.parametrize("name", CHAPTERS)
def test_explorer_shows_its_start_without_scripts(name, without_scripts, address):
    page = without_scripts.new_page()
    page.goto(f"{address}/{name}.html", wait_until="load")
    faults = []
    for explorer in page.locator(".explorer").all():
        label = explorer.get_attribute("aria-label")[:60]
        start = ".explorer-frame:visible, .explorer-start:visible"
        shown = explorer.locator(start).count()
        if shown != 1:
            faults.append(f"shows {shown} frames without scripts, not 1: {label}")
        if explorer.locator("input:visible, button:visible").count():
            faults.append(f"shows controls that do nothing without scripts: {label}")
    page.close()
    site_pages.check(name, faults)


class TestRunTheShop:
    """The game on the landing page, played on a phone."""

    LANDING = "book/intro"

    @pytest.fixture
    def visit(self, phone, address):
        visit = site_browser.Visit(phone, address, self.LANDING)
        visit.page.set_default_timeout(5_000)
        yield visit
        visit.page.close()

    def words(self, page):
        return page.locator(".shop-game .explorer-sentence").inner_text()

    def picture(self, page):
        return page.locator(".shop-game svg").inner_html()

    @pytest.mark.parametrize("level", range(3))
    def test_a_game_and_its_link(self, visit, level):
        page = visit.page
        page.locator(".shop-game [aria-pressed]").nth(level).tap()
        wait = page.get_by_role("button", name="No order")
        order = page.get_by_role("button", name=re.compile(r"^Order \d+"))
        page.get_by_role("slider", name="Units to order").press("ArrowRight")
        assert order.inner_text() == "Order 31"
        for day in range(60):
            facts = page.locator(".shop-facts").inner_text()
            assert f"{day + 1} of 60" in facts
            (wait if day % 4 else order).tap()
        assert "The rule" in self.words(page)
        assert not wait.is_visible()
        end, link = self.words(page), page.url
        assert re.search(rf"#game={level + 1}-\d+-v000v", link)
        drawn = self.picture(page)
        page.reload()
        anothers = end.replace("You ", "This game ").replace("Yours:", "This game:")
        assert self.words(page) == anothers.replace("you", "this game")
        assert self.picture(page) == drawn
        page.get_by_role("button", name="Play the same customers").tap()
        page.get_by_role("slider", name="Units to order").press("ArrowRight")
        for day in range(60):
            (wait if day % 4 else order).tap()
        assert (self.words(page), page.url) == (end, link)
        assert visit.errors == []

    def test_half_a_game_is_kept_and_nonsense_is_none(self, visit):
        page = visit.page
        order = page.get_by_role("button", name=re.compile(r"^Order \d+"))
        for _ in range(3):
            order.tap()
        page.reload()
        assert "\n4 of 60" in page.locator(".shop-facts").inner_text()
        for nonsense in (
            "#game=9-1-a",
            "#game=1-1-<b>",
            "#game=" + "a" * 100_000,
            "#game",
        ):
            page.goto("about:blank")
            page.goto(f"{visit.base}/{self.LANDING}.html{nonsense}")
            assert "\n1 of 60" in page.locator(".shop-facts").inner_text()
        assert visit.errors == []

    def test_stands_as_a_picture_without_scripts(self, without_scripts, address):
        page = without_scripts.new_page()
        page.goto(f"{address}/{self.LANDING}.html")
        assert page.locator(".shop img").is_visible()
        page.close()


@pytest.fixture(scope="module")
def unpacked():
    """The book of the zip that the course is handed out as."""
    if not (packed := BUILT / offline.NAME).is_file():
        pytest.fail(
            f"the built book has no {offline.NAME}: run `make book`", pytrace=False
        )
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(packed) as z:
            z.extractall(folder, [n for n in z.namelist() if "/html/" in n])
        yield next(Path(folder).glob("*/html"))


@pytest.mark.parametrize("name", [CHAPTERS[0], CHAPTERS[-1]])
def test_works_offline_from_the_zip(name, phone, unpacked):
    visit = site_browser.Visit(phone, unpacked.as_uri(), name)
    faults = visit.outside + visit.missing + visit.errors + visit.run("mathematics")
    explorer = visit.page.locator(".explorer").first
    seen = set()
    for key in ("Home", "End"):
        explorer.get_by_role("slider").first.press(key)
        visit.page.wait_for_timeout(100)  # until it is drawn
        seen.add(explorer.inner_html())
    if len(seen) < 2:
        faults.append("has an explorer that does not move")
    visit.page.close()
    site_pages.check(f"{name}, opened as a file,", faults)


def test_search_finds_lectures_offline_from_the_zip(phone, unpacked):
    """A browser that has the book from files may not fetch what it finds."""
    page, errors = phone.new_page(), []
    page.on("console", lambda m: m.type == "error" and errors.append(m.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{unpacked.as_uri()}/search.html?q=newsvendor")
    page.locator("#search-results li a[href*='newsvendor.html']").first.wait_for()
    page.wait_for_timeout(300)  # what it would fetch comes after the titles
    page.close()
    site_pages.check("The search of the zip", [f"says {error}" for error in errors])


@pytest.mark.parametrize(
    ("asked", "lecture"),
    [
        ("s-S", "sample_paths"),
        ("(s, S)", "sample_paths"),
        ("s–S policy", "sample_paths"),
        ("Harris 1913", "eoq"),
        ("base-stock level", "base_stock"),
        ("critical ratio", "newsvendor"),
        ("Scarf 1960", "sample_paths"),
        ("newsvendor", "newsvendor"),
        ("95%", "sample_paths"),
        ("EOQ", "eoq"),
        ("1913", "eoq"),
        ("fill rate", "base_stock_level"),
        ("base stock", "base_stock"),
        ("(r, Q)", "qr"),
    ],
)
def test_search_finds_the_lecture_among_the_first_three(phone, address, asked, lecture):
    page = phone.new_page()
    page.goto(f"{address}/search.html?q={quote(asked)}")
    # A subject may fill several lectures, whose names then begin alike.
    lectures = [name for name in CHAPTERS if Path(name).name.startswith(lecture)]
    first = "#search-results li:nth-child(-n + 3) > a"
    found = ", ".join(f"{first}[href*='{name}.html']" for name in lectures)
    page.locator(found).first.wait_for(timeout=10_000)
    page.close()


# --------------------------------------------------------------- the tests find what is wrong

GOOD = """<!doctype html><html lang="en"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html[data-theme=dark] { background: #111; color: #eee }</style>
<article><h1 id="top">Shop</h1><p>Bread <a href="#top">up</a></p>%s</article></html>"""


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [([2, 1, 3], None), ([1, 3], "(demo-2)="), ([1, 2, 2], "two sections")],
)
def test_faults_of_demos_are_found(numbers, fault):
    faults = demo_faults(numbers)
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


@pytest.fixture
def open_page(phone, tmp_path):
    """Opens a made-up page, and closes it when the test is through."""
    opened = []

    def open_page(piece):
        (tmp_path / "page.html").write_text(GOOD % piece, encoding="utf-8")
        opened.append(site_browser.Visit(phone, tmp_path.as_uri(), "page"))
        return opened[-1]

    yield open_page
    opened[-1].page.close()


def asset(name):
    return (course.ROOT / "book" / "assets" / name).read_text(encoding="utf-8")


def dot(colour):
    """A picture of one pixel."""
    png = io.BytesIO()
    Image.new("RGBA", (1, 1), colour).save(png, "png")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


DOT, WHITE_DOT = dot((0, 0, 0, 0)), dot((255, 255, 255, 255))
WIDE = "width: 500px; height: 9px"
REACHED = (
    '<div class="pst-scrollable-table-container" style="{}" tabindex="0" role="region" '
    f'aria-label="Wide"><p style="{WIDE}">wide</p></div>'
)
FORMULA = '<span class="math" style="display: inline-flex">x</span>'


@pytest.mark.parametrize(
    ("function", "piece", "fault"),
    [
        ("mathematics", "<p><code>$$</code><mjx-container>$$</mjx-container>", None),
        ("mathematics", r"<p>So \(Q\) it is", "raw TeX"),
        ("mathematics", "<p>So $$Q$$ it is", "raw TeX"),
        ("mathematics", r"<p>\begin{aligned}", "raw TeX"),
        ("mathematics", r'<p class="math">\(Q\)</p>', "not typeset"),
        ("mathematics", "<mjx-merror>Q</mjx-merror>", "does not understand"),
        (
            "overflow",
            f'<div style="overflow: auto"><p style="{WIDE}">wide</p></div>',
            None,
        ),
        ("overflow", f'<p style="{WIDE}">wide', "is 5"),
        (
            "overflow",
            f'<p style="overflow: hidden"><b style="display: block; {WIDE}">',
            "sticks",
        ),
        ("overflow", f'<details>a<p style="{WIDE}">wide</details>', "is 5"),
        ("overflow", "<p>" + 99 * "wide", "px wide on a screen"),
        (
            "lineBreaks",
            "<p><code>order_cost</code> is <span class=math>x</span>, so",
            None,
        ),
        (
            "lineBreaks",
            f'<p style="width: 0">{FORMULA}, so',
            'begins with ","',
        ),
        (
            "lineBreaks",
            f'<p style="width: 0"><b style="white-space: nowrap">{FORMULA},</b> so',
            None,
        ),
        (
            "lineBreaks",
            '<p style="width: 2ch; overflow-wrap: anywhere"><code>order_cost</code>',
            "a name breaks",
        ),
        ("lineBreaks", '<p style="width: 0"><code>order_<wbr>cost</code>', None),
        (
            "lineBreaks",
            '<div class="cell_output"><div class="output"><pre style="overflow: auto">'
            + 99 * "wide ",
            "is cut off",
        ),
        (
            "outOfReach",
            '<div class="pst-scrollable-table-container" style="overflow: auto">'
            f'<p style="{WIDE}">wide</p></div>',
            "no keyboard",
        ),
        (
            "outOfReach",
            REACHED.format("overflow: auto"),
            "nothing shows it",
        ),
        (
            "outOfReach",
            REACHED.format(
                "overflow: auto; mask-image: linear-gradient(red, transparent)"
            ),
            None,
        ),
        ("pictures", f'<img src="{DOT}">', None),
        ("pictures", '<img src="nothing.png" alt="A loaf">', "does not show"),
        ("whiteBoxes", '<div class="cell_output"><p>text', None),
        (
            "whiteBoxes",
            '<div class="cell_output"><div><p style="background: #eee">text',
            "box",
        ),
        ("whiteBoxes", f'<figure style="background: #222"><img src="{DOT}">', None),
        ("whiteBoxes", f'<figure style="background: #eee"><img src="{DOT}">', "box"),
        ("whiteBoxes", f'<img src="{WHITE_DOT}">', "own background"),
    ],
)
def test_faults_of_a_page_are_found(open_page, function, piece, fault):
    faults = open_page(piece).run(function)
    assert bool(faults) == (fault is not None)
    assert not faults or fault in faults[0]


@pytest.mark.parametrize(
    ("piece", "fault"),
    [
        ('<p style="color: #767676">pale', None),
        ('<p style="color: #777777">pale', "color-contrast: p:"),
        ('<img src="page.html">', "image-alt: img:"),
        ("<h3>Rye</h3>", "heading-order: h3:"),
        ('<details>a<p style="color: #aaa">pale</details>', "color-contrast"),
    ],
)
def test_faults_of_access_are_found(open_page, piece, fault):
    faults = site_browser.access_faults(open_page(piece))
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


def test_faults_of_loading_are_found(open_page):
    visit = open_page(
        """<img src="nothing.png"><script src="https://example.org/x.js"></script>
        <script>console.error("burnt"); dough.rise()</script>"""
    )
    assert len(visit.outside) == len(visit.missing) == 1
    assert "burnt" in visit.errors[0]
    assert "dough" in visit.errors[1]


# A solution as the theme makes it: its title opens it, and holds a link.
TITLED = """<div class="solution admonition dropdown"><p class="admonition-title"
onclick="this.parentElement.classList.toggle('open')"><a href="#top" onclick="%s">Loaf</a>
<button class="toggle-button">v</button></p><p class="inside">bread</p>
<style>.inside { display: none } .open .inside { display: block }
button:focus { outline: solid }</style></div>"""


@pytest.mark.parametrize(
    ("piece", "fault"),
    [
        ("<details><summary>Show</summary><p>bread</p></details>", None),
        ("<details open><summary>Show</summary><p>bread</p></details>", "before it is"),
        ("<details><summary>Show</summary></details>", "nothing after a click"),
        ('<div class="dropdown admonition">bread</div>', "nothing to press"),
        ('<div class="admonition solution">bread</div>', ":class: dropdown"),
        (
            '<div class="solution">bread<details><summary>Show</summary><p>more</details>',
            ":class: dropdown",
        ),
        (
            '<details class="solution" open><summary>Show</summary><p>bread</details>',
            ":class: dropdown",
        ),
        (
            '<details class="solution"><summary style="outline: none">Show'
            "</summary><p>bread</p></details>",
            "where the focus is",
        ),
        (
            TITLED % "return false",
            None,
        ),
        (
            TITLED % "dough.rise()",
            "gives an error of a script",
        ),
        (
            TITLED % "event.stopPropagation()",
            "nothing after a click on the text",
        ),
        (TITLED % "", "leads elsewhere"),
        (
            '<details class="solution"><summary onkeydown="return false">Show'
            "</summary><p>bread</p></details>",
            "by the Enter key",
        ),
    ],
)
def test_faults_of_opening_are_found(open_page, piece, fault):
    faults = site_browser.opening_faults(open_page(piece))
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]


# As the theme closes a solution: by a button, which it adds.
TOGGLED = """<style>.toggle-hidden p { display: none }</style><div class="toggle-hidden">%s
<button class="toggle-button" onclick="this.parentElement.classList.toggle('toggle-hidden')">v
</button></div>"""


@pytest.mark.parametrize("closed", ["<details>%s</details>", TOGGLED])
def test_a_link_to_what_is_closed_opens_it(open_page, closed):
    piece = closed % '<p id="loaf">bread</p>'
    code = asset("course.js")
    visit = open_page(f'<a id="to" href="#loaf">loaf</a>{piece}<script>{code}</script>')
    loaf = visit.page.locator("#loaf")
    for _ in range(2):  # also when one is there already
        assert not loaf.is_visible()
        visit.page.locator("#to").click()
        loaf.wait_for(timeout=5_000)
        visit.page.evaluate("""() => { for (const e of document.querySelectorAll("details, div"))
            e.tagName === "DETAILS" ? e.open = false : e.classList.add("toggle-hidden"); }""")
    visit.page.reload()
    loaf.wait_for(timeout=5_000)


@pytest.fixture(scope="module")
def explorer_html():
    """A small explorer as `make book` makes it, with what the book's pages load for it."""

    def draw(Q):
        plt.figure(figsize=(4, 3))
        plt.plot([0, 6], [0, 1])
        plt.axvline(Q)
        plt.title(f"The lot is {Q}")
        return f"The lot is {Q}."

    with pytest.MonkeyPatch.context() as patch:
        shown = []
        patch.setattr(explore, "display", shown.append)
        patch.setenv(explore.STATIC_BUILD, "1")
        explore.explore(
            draw, {"Q": [1, 2, 3, 4, 5]}, start={"Q": 3}, alt="A", play_ms=500
        )
    style = f"<style>{asset('course.css')}</style>"
    return f"{shown[0].data}{style}<script>{extension().bundle()}</script>"


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ("", None),
        ("slider.removeAttribute('aria-label')", "sliders with a name"),
        ("slider.tabIndex = -1", "Tab key"),
        ("slider.max = 3", "play again"),
        (
            "slider.addEventListener('keydown', e => e.preventDefault())",
            "after the key",
        ),
        ("output.remove()", "to a screen reader"),
        (
            "frames[2].dataset.value = frames[1].dataset.value",
            "does not change its value in words",
        ),
        (
            "frames[2].querySelector('img').src = frames[1].querySelector('img').src",
            "the same picture at its values 2 and 3",
        ),
        (
            "slider.addEventListener('input', () =>"
            " slider.value === '2' && frames[1].classList.add('shown'))",
            "shows 2 frames at once",
        ),
        ("Object.defineProperty(output, 'value', {set() {}})", "to a screen reader"),
        ("style.textContent += '.explorer img { opacity: 0 }'", "the same picture"),
        ("style.textContent += '.explorer-frame { visibility: visible }'", "at once"),
        ("button.replaceWith(button.cloneNode(true))", "not become one to pause"),
    ],
)
def test_faults_of_explorers_are_found(open_page, explorer_html, broken, fault):
    visit = open_page(explorer_html)
    visit.page.evaluate(
        """broken => {
          const [slider, output, button, style] =
            ["input", "output", "button", "~ style"]
            .map(name => document.querySelector(`.explorer ${name}`));
          const frames = document.querySelectorAll(".explorer-frame");
          eval(broken);
        }""",
        broken,
    )
    faults = site_browser.explorer_faults(visit)
    assert bool(faults) == (fault is not None)
    assert not faults or any(fault in found for found in faults)
