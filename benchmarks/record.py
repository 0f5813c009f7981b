"""Timing side by side, and a record of the results with the machine that they ran on."""

import datetime
import importlib
import json
import os
import platform
import re
import statistics
import time
from importlib import metadata
from pathlib import Path

import jax

PACKAGES = [
    *("jax", "jaxlib", "numpy", "scipy"),
    *("numba", "simpy", "mdpax", "stockpyl"),
]

#: Load of the machine before the run: afterwards it would be the run's own.
LOAD_BEFORE = os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def seconds(fn, *args):
    """Seconds that one call takes, all its arrays computed, and its result."""
    start = time.perf_counter()
    result = jax.block_until_ready(fn(*args))
    return time.perf_counter() - start, result


def side_by_side(contenders, check, rounds, work=None):
    """Time functions of no arguments against each other.

    Each is called once, that call timed apart (compilation falls into it), and its result checked;
    only then are all of them timed, one call each in turn, so that whatever else the machine does
    slows them alike. The first of `contenders` is what the others are compared with.

    Args:
        contenders: functions of no arguments, by name.
        check: function of (name, result) that raises unless the result is right, and returns
            numbers that tell how right.
        rounds: calls of each that are timed, >= 2.
        work: how much each does in a call, by name, if not all do the same; ratios
            are then those of the times for one unit of work.

    Returns:
        One dictionary for each contender: name, first_s, median_s, q1_s, q3_s, ratio, check, and
        per_s, units of work a second, if `work` is given.
    """
    first, checked = {}, {}
    for name, fn in contenders.items():
        first[name], result = seconds(fn)
        checked[name] = check(name, result)
    later = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, fn in contenders.items():
            later[name].append(seconds(fn)[0])
    reference = next(iter(contenders))
    done = work or dict.fromkeys(contenders, 1)
    unit = statistics.median(later[reference]) / done[reference]
    results = []
    for name, times in later.items():
        q1, median, q3 = statistics.quantiles(times, n=4, method="inclusive")
        results.append(
            {
                "name": name,
                "first_s": first[name],
                "median_s": median,
                "q1_s": q1,
                "q3_s": q3,
                "ratio": median / done[name] / unit,
                "check": checked[name],
            }
        )
        if work:
            results[-1]["per_s"] = work[name] / median
    return results


def table(title, results):
    """The results as lines of text."""
    width = max(len(result["name"]) for result in results)
    lines = [
        title,
        f"  {'':{width}}  {'first':>9}  {'median':>9}  {'quartiles':>19}  {'ratio':>6}",
    ]
    for result in results:
        first, median, q1, q3 = (
            f"{1000 * result[f'{name}_s']:.3f}"
            for name in ("first", "median", "q1", "q3")
        )
        quartiles = f"{q1} – {q3}"
        line = (
            f"  {result['name']:{width}}  {first:>9}  {median:>9}  {quartiles:>19}"
            f"  {result['ratio']:>6.2f}"
        )
        if "per_s" in result:
            line += f"  {result['per_s'] / 1e6:10.3f} million a second"
        lines.append(line)
    note = "  (milliseconds; ratio of medians to the first line"
    note += ", for as much work)" if "per_s" in results[0] else ")"
    return "\n".join([*lines, note])


def peers(wanted):
    """The peers that are installed, by name, and a line for each that is not.

    Args:
        wanted: by name, the module in this folder that needs the peer, what is left out
            without it, and the peer's package if it is installed without what it asks for.
    """
    found, missing = {}, []
    for name, (module, left_out, *alone) in wanted.items():
        try:
            found[name] = importlib.import_module(f"benchmarks.{module}")
        except ImportError:
            install = "pip install -r benchmarks/requirements.txt"
            install += "".join(f" && pip install --no-deps {each}" for each in alone)
            missing.append(f"{left_out}: {install}")
    return found, missing


def machine():
    """What the run ran on."""
    device = jax.devices()[0]
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load": LOAD_BEFORE,
        "device": {
            "platform": device.platform,
            "kind": device.device_kind,
            "count": len(jax.devices()),
        },
        "versions": versions,
    }


def finish(folder, topic, sizes, *, tiny, missing, tables, **more):
    """Write what a topic measured, with the machine it ran on, and say where; its path."""
    result = {
        "benchmark": topic,
        "tiny": tiny,
        "machine": machine(),
        "rounds": sizes.rounds,
        "missing": missing,
        "tables": tables,
    }
    path = write(folder, topic, result | more)
    print(f"Results: {path}")
    return path


def write(folder, benchmark, record):
    """Write a record to ``<folder>/<benchmark>-<device kind>.json``; return the path."""
    kind = record["machine"]["device"]["kind"]
    name = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")
    path = Path(folder) / f"{benchmark}-{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            line.split(":")[1].strip()
            for line in lines
            if line.startswith("model name")
        )
    except (OSError, StopIteration):  # not Linux, or an architecture that names none
        return platform.processor() or platform.machine()
