"""A browser on the built book: a server, Chromium, and scripts that find faults in a page.

Every script returns a list of lines for a person; an empty list means no fault.
"""

import functools
import http.server
import itertools
import os
import re
import shutil
import threading
from contextlib import contextmanager

import site_explorers
from axe_playwright_python.sync_playwright import Axe
from site_scripts import FAULTS

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = [
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # Nothing but this machine: a page that needs the network shows it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# What axe-core looks for: all that it knows of the Web Content Accessibility Guidelines, levels A
# and AA, and a page's outline. By night only colours are others.
OUTLINE = ("page-has-heading-one", "heading-order", "empty-heading")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {rule: {"enabled": True} for rule in OUTLINE},
    "resultTypes": ["violations"],
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
CODE = {"include": [["pre"]]}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def find_browser():
    """Path of a Chromium or Chrome, or None; the variable CHROMIUM names one by hand."""
    return os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, COMMANDS)), None
    )


BROWSER = find_browser()


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # one connection for a page's many files

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser may keep a connection open

    def handle_error(self, request, client_address):
        pass  # the browser hung up; what it did not get it reports itself


@contextmanager
def serving(folder, handler=Quiet):
    """Address of a server of the folder's files, on a free port of this machine."""
    handler = functools.partial(handler, directory=str(folder))
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Visit:
    """One page in the browser, and what went wrong while it loaded and since."""

    def __init__(self, context, base, name):
        self.name = name
        self.base = base
        self.page = context.new_page()
        self.outside, self.missing, self.errors = [], [], []
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)
        self.page.goto(f"{base}/{name}.html", wait_until="load")
        self.page.evaluate("() => window.MathJax?.startup?.promise?.then(() => null)")

    def _local(self, url):
        return url.startswith((self.base, "data:", "blob:", "about:"))

    def _request(self, request):
        if not self._local(request.url):
            self.outside.append(f"asks the network for {request.url}")

    def _failed(self, request):
        if self._local(request.url):
            self.missing.append(f"{request.url} did not load: {request.failure}")

    def _response(self, response):
        if response.status >= 400:
            self.missing.append(f"{response.url} answers {response.status}")

    def _console(self, message):
        # What did not load is told by `outside` and `missing`.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(f"error on the console: {message.text}")

    def _error(self, error):
        self.errors.append(f"error of a script: {error.message}")

    def run(self, function, argument=None):
        """What one of the functions of `site_scripts` returns for this page."""
        self.page.evaluate("window.siteFaults ?? " + FAULTS)
        return self.page.evaluate(f"x => siteFaults.{function}(x)", argument)

    def dark(self):
        """Press the theme's own switch until the page is dark."""
        switch = self.page.locator(".theme-switch-button").first
        for _ in range(3):
            switch.evaluate("button => button.click()")
            if self.page.evaluate("document.documentElement.dataset.theme") == "dark":
                return True
        return False


def access_faults(visit, rules=RULES, where=None):
    """What axe-core finds, with all opened that opens: contrasts, names, roles, alt texts.

    Unless told where to look, it looks at the page without the insides of its formulas and of
    its code, which are most of a long page, and whose colours are those of any page.
    """
    visit.run("openAll")
    # The bar at the top lies over whatever is scrolled under it, wherever tests before have been.
    visit.page.evaluate("scrollTo(0, 0)")
    if where is None:
        visit.run("emptyFormulasAndCode")
    return [
        f"{kind['id']}: {' '.join(node['target'][0].split())}: "
        f"{[*node['any'], *node['all'], *node['none']][0]['message']}"
        for kind in Axe().run(visit.page, where, rules).response["violations"]
        for node in kind["nodes"]
    ]


def opening_faults(visit):
    """Solutions and hidden code are closed at first, and open by a click and by a key.

    Mouse and keyboard for every solution and for two others; the rest, made alike, by a click
    that the page itself makes.
    """
    faults, others = [], 0
    for i, opener in enumerate(visit.run("openers")):
        solution = opener["kind"] == "solution"
        if solution and visit.run("isOpen", i):
            faults.append(
                f"shows a solution at once, give it `:class: dropdown`: {opener['name']}"
            )
            continue
        if not opener["button"]:
            faults.append(f"has nothing to press that would open {opener['name']}")
            continue
        others += not solution
        by_hand = solution or others <= 2
        button = visit.page.locator(f'[data-opener="{i}"]')
        if visit.run("isOpen", i):
            faults.append(f"shows this before it is opened: {opener['name']}")
            continue
        if solution and (fault := title_fault(visit, i)):
            faults.append(f"{fault}: {opener['name']}")
            continue
        if by_hand:
            button.click()
        else:
            button.evaluate("e => e.click()")
        if not visit.run("isOpen", i):
            faults.append(f"shows nothing after a click on {opener['name']}")
        elif by_hand:
            button.evaluate("e => e.click()")
            if visit.run("isOpen", i):
                faults.append(f"does not close again: {opener['name']}")
            button.press("Enter")
            if not visit.run("isOpen", i):
                faults.append(f"does not open by the Enter key: {opener['name']}")
            if not visit.run("showsFocus"):
                faults.append(f"does not show where the focus is: {opener['name']}")
    return faults


def title_fault(visit, i):
    """The text of a solution's title opens it where it is tapped, and leads nowhere."""
    text = visit.page.locator(f'[data-opened="{i}"] > .admonition-title a')
    if not text.count():
        return None
    address, errors = visit.page.url, len(visit.errors)
    # By force, which is where a finger goes: a link that lets taps through never gets one itself.
    text.first.click(force=True)
    if visit.errors[errors:]:
        return f"a click on the text of a title gives an {visit.errors[errors]}"
    if not visit.run("isOpen", i):
        return "shows nothing after a click on the text of a title"
    if visit.page.url != address:
        return "leads elsewhere by a click on the text of a title"
    visit.page.locator(f'[data-opener="{i}"]').evaluate("e => e.click()")
    return None


def explorer_faults(visit):
    """Explorers follow keyboard, mouse and finger, and play and pause."""
    visit.run("openAll")
    explorers = visit.page.locator(".explorer").all()
    if not explorers:
        return []
    visit.page.set_viewport_size(DESK)  # a page too wide for a phone is another's fault
    computing = [e for e in explorers if e.get_attribute("data-model")]
    faults = [
        f"{named(explorer)} {fault}"
        for explorer in computing
        for fault in site_explorers.faults(visit.page, explorer)
    ]
    if computing:
        faults += [
            f"{named(computing[0])} {fault}"
            for fault in site_explorers.faults_of_page(visit.page, computing[0])
        ]
        visit.run("openAll")
    visit.page.clock.install()  # a minute of playing takes no time
    faults += [
        f"{named(explorer)} {fault}"
        for explorer in explorers
        if explorer not in computing
        for fault in faults_of_explorer(visit.page, explorer)
    ]
    visit.page.set_viewport_size(PHONE)
    return faults


def named(explorer):
    return f"the explorer {explorer.get_attribute('aria-label')[:60]!r}"


def faults_of_explorer(page, explorer):
    """How it answers to the keyboard, and to its button."""

    def state():
        return explorer.evaluate("e => siteFaults.explorerState(e)")

    def picture():
        sentence = ".explorer-frames p { visibility: hidden !important }"
        frames = explorer.locator(".explorer-frames")
        return frames.screenshot(style=sentence, scale="css")

    slider = explorer.get_by_role("slider", name=re.compile(r"\w"))
    if slider.count() != 1:
        yield f"has {slider.count()} visible sliders with a name, not 1"
        return
    last = state()["last"]
    explorer.evaluate("e => { e.tabIndex = -1; e.focus(); }")
    page.keyboard.press("Tab")
    if not slider.evaluate("e => e === document.activeElement"):
        yield "is not reached by the Tab key"
        slider.focus()
    if explorer.evaluate("() => siteFaults.ringIsCut()"):
        yield "cuts off the ring around its slider when that has the focus"
    told = []
    for key, wanted in (
        ("Home", 0),
        ("ArrowRight", 1),
        ("ArrowLeft", 0),
        ("End", last),
        ("ArrowLeft", last - 1),
    ):
        page.keyboard.press(key)
        now = state()
        told.append(now["output"])
        if now["shown"] != 1:
            yield f"shows {now['shown']} frames at once after the key {key}"
        elif not now["frame"] == now["value"] == wanted:
            yield f"shows frame {now['frame']} after the key {key}, not {wanted}"
        if not now["output"] or now["output"] != now["spoken"]:
            yield (
                f"says {now['spoken']!r} to a screen reader and shows"
                f" {now['output']!r} after the key {key}"
            )
    if told[0] != told[2] or len(set(told)) < min(3, last + 1):
        yield f"shows the values {told} for frames 0, 1, 0, {last}, {last - 1}"
    page.keyboard.press("Home")
    first, told = picture(), [state()]
    while len(told) <= last:  # through all values, as a reader may go
        page.keyboard.press("ArrowRight")
        told.append(state())
    yield from faults_of_steps(told)
    yield from explorer.evaluate("e => siteFaults.framesOf(e)")
    if first == picture():
        yield "shows the same picture at its first and its last value"
    if explorer.get_by_role("button").count():
        yield from faults_of_playing(page, explorer, state)


def faults_of_steps(told):
    """The first fault of each kind: one fault of a frame is often one of them all."""
    for i, now in enumerate(told[1:], 1):
        if now["shown"] != 1 or now["frame"] != i:
            yield (
                f"shows {now['shown']} frames at once at its value {i},"
                f" the first of them frame {now['frame']}"
            )
            break
    for i, (before, now) in enumerate(itertools.pairwise(told), 1):
        if now["output"] != now["spoken"]:
            yield (
                f"says {now['spoken']!r} to a screen reader and shows"
                f" {now['output']!r} at its value {i}"
            )
            break
        if now["output"] == before["output"]:
            yield f"does not change its value in words from {i - 1} to {i}"
            break


def faults_of_playing(page, explorer, state):
    button = explorer.get_by_role("button")
    page.keyboard.press("Home")
    start = state()
    button.click()
    if state()["button"] == start["button"]:
        yield "has a Play button that does not become one to pause"
    page.clock.run_for(60_000)
    end = state()
    if end["value"] != end["last"]:
        yield f"plays to frame {end['value']}, not to the last, {end['last']}"
    if end["button"] != start["button"]:
        yield "does not offer to play again after the last frame"
    page.clock.run_for(5_000)
    if state() != end:
        yield "moves on after the last frame"
    if end["last"] < 3:
        return
    button.click()
    for _ in range(50):
        page.clock.run_for(100)
        if 1 <= state()["value"] < end["last"]:
            break
    button.click()
    paused = state()
    page.clock.run_for(5_000)
    if paused["button"] != start["button"] or state() != paused:
        yield "does not pause when its button is pressed again"
