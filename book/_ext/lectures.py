"""What building the lectures needs beyond Jupyter Book: an execution cache that can be trusted.

Jupyter Book's cache looks at the notebook alone: change the package, and a page keeps the output
of the old one. Here the cache lies in a folder named by what the outputs depend on, the package's
sources and the versions of the numerical libraries: a change executes every page anew, a change
back finds the old outputs again.

What a page compiles is kept, for the tests that run its cells again. A page itself begins
without: the first calls that it times are first calls.
"""

import hashlib
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(
    0, str(ROOT)
)  # for tools/, a folder of the repository that is not installed

from tools import programs  # noqa: E402 (tools/ is within reach from here on)

PACKAGE = "lectures_helpers"
LIBRARIES = ("jax", "jaxlib", "numpy", "scipy", "matplotlib")


def fingerprint(root):
    """Hash of the package's sources under `root`, the libraries' versions, benchmarks, instances."""
    digest = hashlib.sha256()
    for name in LIBRARIES:
        digest.update(f"{name}=={version(name)}\n".encode())
    of_package = (root / PACKAGE).rglob("*")
    for path in sorted(p for p in of_package if p.suffix in (".py", ".json")):
        digest.update(f"{path.relative_to(root)}\n".encode())
        digest.update(path.read_bytes())
    for path in sorted((root / "benchmarks" / "results").glob("*.json")):
        digest.update(path.read_bytes())  # what the page on performance reads
    for path in (root / "book" / "assets").glob("instances.json"):
        digest.update(path.read_bytes())  # what the page of solved instances shows
    return digest.hexdigest()[:16]


def configure(app, config):
    root = Path(app.srcdir)
    config.nb_execution_cache_path = str(
        root / "_build" / "executed" / fingerprint(root)
    )
    if os.environ.get("CI") and config.nb_execution_mode == "cache":
        config.nb_execution_mode = (
            "force"  # a published page never rests on an old output
        )
    # Kernels inherit these. An explorer then draws frames that move without a kernel, what the
    # text says of the printed numbers must be so, and neither the reader's own IPython settings
    # nor ipykernel's remarks on transport come in.
    os.environ["LECTURES_STATIC_BUILD"] = "1"
    os.environ["LECTURES_STRICT"] = "1"
    os.environ["IPYTHONDIR"] = str(quiet_ipython(root / "_build" / "ipython"))


def keep_programs(app, docname, source):
    """Begin a page, whose cells run next, with no programs from before."""
    root = Path(app.srcdir)
    shutil.rmtree(programs.folder(docname, root), ignore_errors=True)
    os.environ.update(programs.environment(docname, root))


def quiet_ipython(folder):
    """An IPython folder whose kernels report errors only."""
    settings = folder / "profile_default" / "ipython_kernel_config.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("get_config().IPKernelApp.log_level = 40\n", encoding="utf-8")
    return folder


def setup(app):
    app.connect("config-inited", configure)
    app.connect("source-read", keep_programs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
