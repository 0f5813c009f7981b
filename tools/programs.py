"""Keep what a lecture compiles: a page that is built, and then tested, compiles once."""

from tools import course


def folder(page, root=course.ROOT):
    """Where the programs of a page are kept, for JAX."""
    return root / "_build" / "programs" / page


def environment(page, root=course.ROOT):
    """What a page's kernel inherits, so that it keeps its programs and finds them again."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder(page, root)),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
    }
