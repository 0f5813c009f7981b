"""Saves of a long run: one file, written beside its place and then put there at once.

A save is an uncompressed ``.npz``: NumPy reads it everywhere, each array in it carries a
checksum, and no other library is needed.  It is written under another name in the same
folder, flushed to the disk, and renamed; a rename is atomic, so that a process killed at
any moment leaves the last whole save.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["checked_path", "load", "remove_unfinished", "save"]

OURS = "lectures_helpers.expiry "
FORMAT = f"{OURS}2"  # another number whenever the names in a save change


def save(path: Path, run: dict, period: int, arrays: dict[str, np.ndarray]) -> None:
    """Write a save to `path`, in place of the last one, at once or not at all.

    Args:
        path: the file.
        run: what tells this run from others, JSON values by name.
        period: the period whose values are saved; periods before it are still to be done.
        arrays: NumPy arrays by name.
    """
    header = {"format": FORMAT, "period": period, "run": run, "arrays": list(arrays)}
    content: dict[str, Any] = {"header": np.asarray(json.dumps(header)), **arrays}
    unfinished = _unfinished(path)
    try:
        with open(unfinished, "wb") as file:
            np.savez(file, **content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    _flush_folder(path.parent)


def load(path: Path, run: dict) -> tuple[int, dict[str, np.ndarray]] | None:
    """Read a save that belongs to this run.

    Args:
        path: the file.
        run: as in `save`.

    Returns:
        The period and the arrays, or None if there is no such file.

    Raises:
        ValueError: the file is damaged, is no save, or belongs to another run or version.
    """
    if not path.exists():
        return None
    try:
        # Opened here, since NumPy leaves a file open that it cannot read.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        header = json.loads(str(arrays.pop("header")))
        if not header["format"].startswith(OURS):
            raise ValueError(f"its format is {header['format']!r}, not {FORMAT!r}")
        period, saved, names = header["period"], header["run"], header["arrays"]
        if not isinstance(saved, dict) or type(period) is not int:
            raise ValueError("its header is not that of a save")
        if sorted(names) != sorted(arrays):
            raise ValueError(f"it holds {sorted(arrays)} instead of {sorted(names)}")
    # Whatever a damaged archive may lead the readers of zip files, arrays and JSON to.
    except Exception as error:
        raise ValueError(
            f"checkpoint = {str(path)!r} is damaged or no save of a solver "
            f"({type(error).__name__}: {error}); remove it, or name another file"
        ) from None
    if header["format"] != FORMAT:
        raise ValueError(
            f"checkpoint = {str(path)!r} was saved by another version of the package, in "
            f"the format {header['format']!r}; remove it, or name another file"
        )
    for name, value in run.items():
        if saved.get(name) != value:
            raise ValueError(
                f"checkpoint = {str(path)!r} is the save of another run: "
                f"its {name} is {saved.get(name)!r}, this one's is {value!r}"
            )
    return period, arrays


def remove_unfinished(path: Path) -> None:
    """Remove what processes that were killed while they saved have left behind."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.\d+\.unfinished")
    for file in path.parent.iterdir():
        if ours.fullmatch(file.name):
            file.unlink(missing_ok=True)


def checked_path(checkpoint: str | os.PathLike) -> Path:
    """The path of a save, if one can be written there: now, and not after a period of work.

    Raises:
        ValueError: it is no path, or no file in a folder where we may write.
    """
    try:
        path = Path(checkpoint)
        folder_exists, is_folder = path.parent.is_dir(), path.is_dir()
    except TypeError:
        raise ValueError(f"checkpoint must be a path, got {checkpoint!r}") from None
    except (ValueError, OSError) as error:  # a byte of zero, a name too long
        raise ValueError(
            f"checkpoint must be a path, got {checkpoint!r} ({error})"
        ) from None
    if not folder_exists:
        raise ValueError(
            f"checkpoint must lie in a folder that exists, got {str(checkpoint)!r}"
        )
    if is_folder:
        raise ValueError(f"checkpoint must be a file, got the folder {str(path)!r}")
    unfinished = _unfinished(path)
    try:
        unfinished.touch()
        unfinished.unlink(missing_ok=True)  # another process may have tidied up
    except (OSError, ValueError) as error:  # ValueError: a byte of zero in the name
        raise ValueError(
            f"checkpoint must be a file that can be written, got {str(path)!r} ({error})"
        ) from None
    return path


def _unfinished(path):
    """The file that a save is written to before it takes its place."""
    return path.with_name(f".{path.name}.{os.getpid()}.unfinished")


def _flush_folder(folder):
    """Make a rename last through a power failure, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
