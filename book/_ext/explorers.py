"""The explorers' script: the modules of book/assets/explorers in one file.

A page that is opened as a file may not load modules, so the build puts them into one classic
script, each in a function of its own: a module's imports and exports are written in the few ways
that `TRANSLATIONS` knows, and anything else is an error. Pages without an explorer load nothing.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "explorers"
SCRIPT = "explorers.js"
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w/]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:function|const|class) (\w+))", re.MULTILINE)
EXPORT_LIST = re.compile(r"export\s*\{([^}]*)\};\s*\Z")
LEFT = re.compile(r"^\s*(?:import|export)\b", re.MULTILINE)


def bundle(folder=FOLDER, entry="main"):
    """One script of a module and of what it imports; its value is what the module exports.

    Raises:
        ValueError: a module imports or exports in a way that is not known here, or in a circle.
    """
    done, open_ = {}, []

    def add(name):
        if name in done:
            return
        if name in open_:
            raise ValueError(
                f"{' -> '.join([*open_, name])}: modules import in a circle"
            )
        open_.append(name)
        text = (folder / f"{name}.js").read_text(encoding="utf-8")
        for _, other in IMPORT.findall(text):
            add(other)
        open_.pop()
        done[name] = function_of(name, text)

    add(entry)
    body = "\n".join(done.values())
    return f'(() => {{\n"use strict";\n{body}\nreturn {variable(entry)};\n}})();\n'


def variable(name):
    return "module_" + re.sub(r"\W", "_", name)


def function_of(name, text):
    """A module as a function that returns what it exports."""
    names = [(own, own) for own in EXPORT.findall(text)]
    text = EXPORT.sub("", text)
    if listed := EXPORT_LIST.search(text):
        for item in listed[1].split(","):
            own, _, shown = item.strip().partition(" as ")
            names.append((shown or own, own))
        text = text[: listed.start()]

    def of_import(found):
        taken = found[1].strip().rstrip(",").replace(" as ", ": ")
        return f"const {{ {' '.join(taken.split())} }} = {variable(found[2])};\n"

    text = IMPORT.sub(of_import, text)
    if left := LEFT.search(text):
        line = text[left.start() :].strip().splitlines()[0][:80]
        raise ValueError(
            f"{name}.js: write imports and exports as other modules do: {line}"
        )
    shown = ", ".join(f"{shown}: {own}" for shown, own in names)
    return f"const {variable(name)} = (() => {{\n{text.rstrip()}\nreturn {{ {shown} }};\n}})();"


def write(app, config):
    folder = Path(app.srcdir) / "_build" / "scripts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(bundle(), encoding="utf-8")
    config.html_static_path.append(str(folder))


def load(app, pagename, templatename, context, doctree):
    body = context.get("body", "")
    if 'class="explorer' in body or 'class="shop' in body:
        app.add_js_file(SCRIPT)


def setup(app):
    app.connect("config-inited", write)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
