"""The explorers' modules in a browser: what a function of a page returns, for tests to compare."""

import importlib.util
from contextlib import contextmanager

import pytest
import site_browser
from playwright.sync_api import sync_playwright

from tools import course


def extension():
    """book/_ext/explorers.py, which puts modules into one script."""
    path = course.ROOT / "book" / "_ext" / "explorers.py"
    spec = importlib.util.spec_from_file_location("explorers_extension", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def called_in_page():
    """A function that calls one of the page's: `call("ss", "update", [arguments, ...])`.

    It returns a list with the value for each list of arguments. Typed arrays come as lists.
    """
    if site_browser.BROWSER is None:
        pytest.skip("no Chromium was found")
    bundle = extension().bundle
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=site_browser.BROWSER, args=site_browser.OPTIONS
        )
        page = browser.new_page()
        loaded = set()

        def call(module, function, arguments):
            if module not in loaded:
                script = f"window.module_{module} = {bundle(entry=module)}"
                page.add_script_tag(content=script)
                loaded.add(module)
            return page.evaluate(
                """([name, own, arguments]) => {
                  const plain = (x) => ArrayBuffer.isView(x) ? [...x] : Array.isArray(x)
                    ? x.map(plain) : x && typeof x === "object"
                    ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)])) : x;
                  return arguments.map((some) => plain(window[`module_${name}`][own](...some)));
                }""",
                [module, function, arguments],
            )

        yield call
        browser.close()
