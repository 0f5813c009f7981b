"""Saves of a long run: one file, written beside its place and then put there at once.

A save is an uncompressed ``.npz``: NumPy reads it everywhere, each array in it carries a
checksum, and no other library is needed.  It is written under another name in the same
folder, flushed to the disk, and renamed; a rename is atomic, so that a process killed at
any moment leaves the last whole save.

A save belongs to one run at a time.  The run locks a file beside it, and the system takes
the lock away when the process ends, however it ends.
"""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["load", "save"]

OURS = "lectures_helpers.expiry "
FORMAT = f"{OURS}3"  # another number whenever the names in a save change


@contextlib.contextmanager
def owned(
    checkpoint: str | os.PathLike | None, writes: bool = True
) -> Iterator[Path | None]:
    """Context in which a save belongs to this run, and a file can be written there.

    Args:
        checkpoint: the path, or None for a run without saves.
        writes: whether this process is the one that writes; others need no lock.

    Raises:
        ValueError: it is no path, no file in a folder where we may write, or the save of a
            run that is not over.
    """
    if checkpoint is None:
        yield None
        return
    try:
        path = Path(checkpoint)
    except TypeError:
        raise ValueError(f"checkpoint must be a path, got {checkpoint!r}") from None
    if not writes:
        yield path
        return
    try:
        if path.is_dir():
            raise ValueError("it is a folder")
        file = _locked(_beside(path, "lock"))
    except BlockingIOError as error:
        raise ValueError(
            f"checkpoint = {str(path)!r} belongs to a run that is not over ({error}); "
            "wait for it, or name another file"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a byte of zero in the name
        raise ValueError(
            "checkpoint must be a file that can be written, in a folder that exists, "
            f"got {str(path)!r} ({error})"
        ) from None
    with file:
        try:
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
            yield path
        finally:
            for kind in ("unfinished", "lock"):  # a killed run's, too
                with contextlib.suppress(OSError):
                    _beside(path, kind).unlink()


def _locked(lock):
    """The open file, with its lock held; BlockingIOError says who holds it."""
    while True:
        file = open(lock, "a+", encoding="utf-8")  # noqa: SIM115  # open while it is held
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                raise BlockingIOError(file.read()) from None
        except (ImportError, OSError):  # Windows, and disks that know no such locks
            return file
        with contextlib.suppress(OSError):  # its last owner may just have removed it
            if os.path.samefile(lock, file.fileno()):
                return file
        file.close()


def save(path: Path, run: dict, period: int, arrays: dict[str, np.ndarray]) -> None:
    """Write a save to `path`, in place of the last one, at once or not at all.

    Args:
        path: the file.
        run: what tells this run from others, JSON values by name.
        period: the period whose values are saved; periods before it are still to be done.
        arrays: NumPy arrays by name.
    """
    header = {"format": FORMAT, "period": period, "run": run}
    content: dict[str, Any] = {"header": np.asarray(json.dumps(header)), **arrays}
    unfinished = _beside(path, "unfinished")
    with open(unfinished, "wb") as file:
        np.savez(file, **content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
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
        period, saved = header["period"], header["run"]
        if not isinstance(saved, dict) or type(period) is not int:
            raise ValueError("its header is not that of a save")
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


def _beside(path, kind):
    """A file of ours in the save's folder."""
    return path.with_name(f".{path.name}.{kind}")


def _flush_folder(folder):
    """Make a rename last through a power failure, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
