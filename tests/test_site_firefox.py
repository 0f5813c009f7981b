"""In Firefox no page of the built book scrolls sideways on a phone, and explorers move.

Chromium hides some pages that do scroll.

Firefox shows every page in a frame as wide as a phone, on a page of ours that measures it and
posts what it found: so Debian's own Firefox will do, with no driver.
"""

import json
import queue
import shutil
import subprocess

import pytest
import site_browser
import site_pages

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
FAULT = site_pages.BOOK_FAULT or ("" if FIREFOX else "no Firefox was found")
pytestmark = pytest.mark.skipif(bool(FAULT), reason=FAULT)

MEASURE = """<!doctype html><title>Measure</title>
<iframe style="width: 390px; height: 844px; border: 0"></iframe>
<script>
  const names = %s;
  const widths = {};
  const frame = document.querySelector("iframe");
  // Every slider of an explorer that computes, at its other end.
  const faults = async (page, window) => {
    const found = [];
    for (const root of page.querySelectorAll(".explorer[data-model]")) {
      const look = () => root.querySelector("svg")?.innerHTML + root.innerText;
      for (const slider of root.querySelectorAll("input")) {
        const [name, before] = [slider.ariaLabel, look()];
        slider.value = slider.value === slider.max ? slider.min : slider.max;
        slider.dispatchEvent(new window.Event("input"));
        for (let i = 0; i < 2; i++) await new Promise((done) => window.requestAnimationFrame(done));
        if (look() === before) found.push(`does not change with ${name}`);
        if (/NaN|Infinity|undefined/.test(look())) found.push(`shows no number with ${name}`);
      }
      if (!root.querySelector("input, select")) found.push("has an explorer that is not started");
    }
    return found;
  };
  const measure = async () => {
    for (const name of names) {
      await new Promise((done) => {
        frame.onload = done;
        frame.src = `/${name}.html`;
      });
      const page = frame.contentDocument;
      await page.fonts.ready;
      await frame.contentWindow.MathJax?.startup?.promise;
      for (const closed of page.querySelectorAll("details")) closed.open = true;
      for (const closed of page.querySelectorAll(".toggle-hidden"))
        closed.classList.remove("toggle-hidden");
      const { scrollWidth, clientWidth } = page.documentElement;
      // What scrolls within itself widens no page.
      const scrolls = (e) => e && e.tagName !== "ARTICLE" &&
        (frame.contentWindow.getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
      const out = [...page.querySelectorAll("article *")].filter((e) =>
        e.getBoundingClientRect().right > clientWidth + 1 && !scrolls(e.parentElement));
      const first = out[0]?.outerHTML.slice(0, 200) ?? "";
      widths[name] = [scrollWidth, clientWidth, first, await faults(page, frame.contentWindow)];
    }
    await fetch("/found", { method: "POST", body: JSON.stringify(widths) });
  };
  measure().catch((error) => fetch("/found", { method: "POST", body: `"${error}"` }));
</script>"""
# No welcome, no page of its own, nothing sent anywhere.
SETTINGS = """user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.no_proxies_on", "127.0.0.1");
"""


def widths(folder, names, profile):
    """For each page the width it takes, the width it has, the first element beyond, and faults."""
    found = queue.Queue()

    class Handler(site_browser.Quiet):
        def do_GET(self):
            if self.path != "/measure":
                return super().do_GET()
            self.answer((MEASURE % json.dumps(names)).encode())

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            found.put(json.loads(self.rfile.read(length)))
            self.answer(b"")

        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    (profile / "user.js").write_text(SETTINGS, encoding="utf-8")
    with site_browser.serving(folder, Handler) as address:
        command = [FIREFOX, "--headless", "--no-remote", "--profile", str(profile)]
        browser = subprocess.Popen(
            [*command, f"{address}/measure"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return found.get(timeout=300)
        finally:
            browser.terminate()
            browser.wait(timeout=30)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    profile = tmp_path_factory.mktemp("profile")
    found = widths(site_pages.BUILT, site_pages.NAMES, profile)
    assert list(found) == site_pages.NAMES
    return found


def test_no_page_scrolls_sideways_on_a_phone(book):
    wide = [
        f"{name} is {taken} px wide on {given}: {first}"
        for name, (taken, given, first, _) in book.items()
        if taken > given
    ]
    assert not wide, "\n".join(wide)


def test_explorers_move(book):
    assert not [f"{name} {fault}" for name, found in book.items() for fault in found[3]]


def test_a_wide_page_is_found(tmp_path):
    good = '<!doctype html><article><p style="width: %spx">bread</p></article>'
    for name, width in {"fits": 300, "wide": 500}.items():
        (tmp_path / f"{name}.html").write_text(good % width, encoding="utf-8")
    profile = tmp_path / "profile"
    profile.mkdir()
    found = widths(tmp_path, ["fits", "wide"], profile)
    assert found["fits"][0] <= found["fits"][1]
    assert found["wide"][0] > 500 > found["wide"][1]
    assert found["wide"][2].startswith("<p style")
