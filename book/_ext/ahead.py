"""Pages that time nothing run ahead of the build, two at once; what they print is in the cache then.

A page that shows a time runs later and alone, so that nobody else uses its cores; where nobody is
to read the times (the environment variable `LECTURES_TIMES` is `any`, as in `.ci/run`), with the
others. A page that ends in an error, whose kernel dies, or that stands still runs later, too: the
build says which, and where.
"""

import os
import re
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import pairwise
from multiprocessing import active_children, get_context
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
AT_ONCE = 2
TIMES = re.compile(r"runtime\.timed\(|perf_counter\(")


def run(app, env, docnames):
    """Run, and keep, what is to be read anew, has code, shows no time and is not in the cache."""
    settings = env.mystnb_config
    if settings.execution_mode != "cache":
        return
    cache, limit = get_cache(settings.execution_cache_path), settings.execution_timeout
    for path, result in finished(list(jobs(env, docnames, cache)), limit):
        seconds = {"execution_seconds": result.time}
        bundle = CacheBundleIn(result.nb, str(path), data=seconds)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        LOGGER.info(f"{env.path2doc(str(path))} ran ahead, in {result.time:.0f} s")


def finished(pages, limit):
    """Paths and results of those that run without an error, as they end.

    A kernel can be gone so that nobody notices, and its page never ends. So all are stopped where
    none ends within the seconds that a cell may take.
    """
    others = set(active_children())
    fresh, cores = get_context("spawn"), shares(AT_ONCE)
    free = fresh.SimpleQueue()
    for share in cores:
        free.put(share)
    with ProcessPoolExecutor(len(cores), fresh, keep_to, [free]) as pool:
        left = {
            pool.submit(single_nb_execution, page, str(path.parent), limit, False): path
            for path, page in pages
        }
        while left:
            ended, _ = wait(left, limit, FIRST_COMPLETED)
            if not ended:
                LOGGER.info(f"no page ended in {limit} s: the rest run one by one")
                for child in set(active_children()) - others:
                    child.kill()  # it makes light of a request to end
                return
            for future in ended:
                path = left.pop(future)
                if future.exception() is None and future.result().err is None:
                    yield path, future.result()


def shares(number):
    """The cores of this machine in so many shares, or fewer; None where they cannot be shared out.

    A compiled program runs on all the cores that it sees. Two of them would wait for each other.
    """
    if not hasattr(os, "sched_getaffinity"):
        return [None] * number
    cores = sorted(os.sched_getaffinity(0))
    number = min(number, len(cores))
    ends = [part * len(cores) // number for part in range(number + 1)]
    return [cores[first:last] for first, last in pairwise(ends)]


def keep_to(free):
    """What runs in this process keeps to the next free share of the cores."""
    share = free.get()
    if share:
        os.sched_setaffinity(0, share)


def jobs(env, docnames, cache):
    """Paths and notebooks that may run side by side, the longest first: they end together."""
    texts = {}
    for path in map(Path, map(env.doc2path, docnames)):
        texts[path] = path.read_text(encoding="utf-8")
    alone = os.environ.get("LECTURES_TIMES") != "any"
    for path, text in sorted(texts.items(), key=lambda page: -len(page[1])):
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
        if reader is None or (alone and TIMES.search(text)):
            continue
        notebook = reader.read(text)
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            yield path, notebook


def setup(app):
    app.connect("env-before-read-docs", run)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
