"""Long runs of the solver: killed, resumed, and given saves that are not theirs."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lectures_helpers import expiry

MODEL = expiry.create_model(2, 4, expiry.poisson_pmf(3, 8))
T = 6


@pytest.fixture(scope="module")
def whole():
    """The run that nobody interrupts."""
    return expiry.solve(MODEL, T, keep_policies=True)


class Stop(Exception):
    """Stands in for whatever ends a run."""


def stopped_after(monkeypatch, saves, path, model=MODEL, num_periods=T, **options):
    """A run that ends right after this many saves: when a file was put into its place."""
    left = [saves]
    replace = os.replace

    def put(*args, **kwargs):
        replace(*args, **kwargs)
        left[0] -= 1
        if not left[0]:
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", put)
        with pytest.raises(Stop):
            expiry.solve(model, num_periods, checkpoint=path, **options)
    assert path.is_file()


def same(a, b):
    """Bit for bit, types included."""
    assert a.certificate == b.certificate
    for name in ("values", "depletion", "order", "depletions", "orders"):
        x, y = getattr(a, name), getattr(b, name)
        assert (x is None) == (y is None), name
        if x is not None:
            assert x.dtype == y.dtype, name
            assert np.asarray(x).tobytes() == np.asarray(y).tobytes(), name


# ---------------------------------------------------------------------------- resuming


@pytest.mark.parametrize("saves", [1, 3, T - 1])
@pytest.mark.parametrize("keep", [False, True])
def test_a_stopped_run_goes_on(tmp_path, monkeypatch, whole, saves, keep):
    path = tmp_path / "run"
    stopped_after(monkeypatch, saves, path, keep_policies=keep)
    got = expiry.solve(MODEL, T, checkpoint=path, keep_policies=keep)
    same(got, whole if keep else whole._replace(depletions=None, orders=None))
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("method", ["exhaustive", "top_down", "threshold", "tensor"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_method_and_type_goes_on(tmp_path, monkeypatch, method, dtype):
    options = dict(method=method, dtype=dtype, keep_policies=True)
    stopped_after(monkeypatch, 1, tmp_path / "run", num_periods=3, **options)
    got = expiry.solve(MODEL, 3, checkpoint=tmp_path / "run", **options)
    same(got, expiry.solve(MODEL, 3, **options))


def test_a_law_that_changes_goes_on_with_the_right_row(tmp_path, monkeypatch):
    rows = np.random.default_rng(1).dirichlet(np.ones(9), size=T)
    model = MODEL._replace(demand_pmf=rows)
    stopped_after(monkeypatch, 2, tmp_path / "run", model, keep_policies=True)
    got = expiry.solve(model, T, checkpoint=tmp_path / "run", keep_policies=True)
    same(got, expiry.solve(model, T, keep_policies=True))


@pytest.mark.parametrize("num_periods", [0, 1, 2, T])
def test_a_finished_run_can_be_run_again(tmp_path, num_periods):
    path = str(tmp_path / "run")  # text will do
    options = dict(checkpoint=path, keep_policies=True)
    first = expiry.solve(MODEL, num_periods, **options)
    again = expiry.solve(MODEL, num_periods, **options)
    same(first, again)
    same(first, expiry.solve(MODEL, num_periods, keep_policies=True))
    assert {file.name for file in tmp_path.iterdir()} <= {"run"}


def test_the_bar_starts_where_the_run_does(tmp_path, monkeypatch, capsys):
    stopped_after(monkeypatch, 4, tmp_path / "run")
    capsys.readouterr()
    expiry.solve(MODEL, T, checkpoint=tmp_path / "run", progress=True)
    shown = re.findall(rf"(\d+)/{T}", capsys.readouterr().err)
    assert (shown[0], shown[-1]) == ("4", "6")
    expiry.solve(MODEL, T)
    assert capsys.readouterr().err == ""


# ------------------------------------------------------------------ killed, twenty times

NURSERY = """
import os, random, signal, sys, time
from pathlib import Path

import numpy as np

from lectures_helpers import expiry

# Imported, but nothing computed yet: a copy of this process starts JAX by itself, and finds
# what the first one compiled.
path, kills, T = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
model = expiry.create_model(
    2, 4, expiry.poisson_pmf(3, 8), discount=0.999)


def child(work):
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def solve(name, checkpoint):
    with open(path / (name + ".log"), "w") as log:
        sys.stderr = log
        got = expiry.solve(model, T, checkpoint=checkpoint, progress=True)
    np.savez(path / name, values=got.values, depletion=got.depletion, order=got.order)


def last(file):
    try:
        return os.stat(file).st_ino, os.stat(file).st_mtime_ns
    except FileNotFoundError:
        return None


run = path / "run"
luck = random.Random(5)
for attempt in range(kills):
    before = last(run)
    pid = child(lambda: solve(f"attempt{attempt}", run))
    while last(run) == before:  # the first save of this attempt
        if os.waitpid(pid, os.WNOHANG)[0]:
            sys.exit(f"attempt {attempt} ended by itself")
        time.sleep(0.001)
    time.sleep(luck.uniform(0, 0.05))
    if os.waitpid(pid, os.WNOHANG)[0]:
        sys.exit(f"attempt {attempt} was over before it was killed")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
(path / ".run.unfinished").write_bytes(b"PK")  # what a kill may leave
for name, save in (("resumed", run), ("whole", None)):
    pid = child(lambda: solve(name, save))
    if os.waitpid(pid, 0)[1]:
        sys.exit(f"the run {name} failed")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL and fork")
def test_killed_twenty_times_at_random_moments(tmp_path):
    """The numbers are those of a run that nobody kills, bit for bit."""
    periods = 4000  # each takes a millisecond or more with its save: 20 kills fit in
    script = tmp_path / "nursery.py"
    script.write_text(textwrap.dedent(NURSERY), encoding="utf-8")
    folder = tmp_path / "saves"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, script, folder, "20", str(periods)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={
            **os.environ,
            "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        },
    )
    assert done.returncode == 0, done.stderr
    with np.load(folder / "resumed.npz") as a, np.load(folder / "whole.npz") as b:
        for name in b.files:
            assert a[name].tobytes() == b[name].tobytes(), name
    assert not list(folder.glob("*.unfinished"))
    assert not list(folder.glob(".*"))
    # Each run went on where the last one had been killed, or later.
    starts = []
    for name in [f"attempt{i}" for i in range(20)] + ["resumed"]:
        log = (folder / f"{name}.log").read_text(encoding="utf-8")
        starts.append(int(re.search(rf"(\d+)/{periods}", log).group(1)))
    assert starts[0] == 0
    assert all(b > a for a, b in itertools.pairwise(starts)), starts
    assert starts[-1] < periods


# ---------------------------------------------------------------------- damaged saves


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A save of a run that was stopped in the middle."""
    path = tmp_path / "run"
    stopped_after(monkeypatch, 3, path, keep_policies=True)
    return path


def resume(path, model=MODEL, num_periods=T, keep_policies=True, **options):
    return expiry.solve(
        model, num_periods, checkpoint=path, keep_policies=keep_policies, **options
    )


def refused(path):
    """Expect the error of a file that is no whole save, which names the file."""
    return pytest.raises(
        ValueError,
        match=re.escape(
            f"checkpoint = {str(path)!r} is damaged or no save of a solver"
        ),
    )


@pytest.mark.parametrize("share", [0, 1e-3, 0.1, 0.5, 0.9, 0.999])
def test_truncated_saves(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with refused(saved):
        resume(saved)
    assert saved.read_bytes() == content[: int(share * len(content))]  # kept for a look


def test_a_save_that_lacks_its_last_byte(saved):
    saved.write_bytes(saved.read_bytes()[:-1])
    with refused(saved):
        resume(saved)


@pytest.mark.parametrize("part", range(4))
def test_one_wrong_bit_anywhere(saved, whole, part):
    """It is refused, or it lies where nothing is read and the numbers are right.

    One bit of each byte of the archive's own table at the file's end, of the beginning, and
    of some between.
    """
    content = saved.read_bytes()
    with zipfile.ZipFile(saved) as archive:
        table = archive.start_dir
    rng = np.random.default_rng(part)
    places = np.concatenate(
        [
            np.arange(part, 60, 4),
            rng.integers(60, table, size=40),
            np.arange(table + part, len(content), 4),
        ]
    )
    refusals, wrong = 0, []
    for place in places.tolist():
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(damaged)
        try:
            got = resume(saved)
        except Exception as error:
            if isinstance(error, ValueError) and repr(str(saved)) in str(error):
                refusals += 1
            else:
                wrong.append((place, type(error).__name__, str(error)))
        else:
            same(got, whole)
    assert not wrong
    assert refusals > len(places) / 2


@pytest.mark.parametrize(
    "place",
    [("version", 6, 7), ("encrypted", 8, 0), ("method", 10, 0), ("method", 10, 3),
     ("checksum", 16, 0), ("size", 20, 0), ("name", 46, 1), ("comment", 32, 5)],
    ids=str,
)  # fmt: skip
def test_one_wrong_bit_in_a_field(saved, whole, place):
    """The fields of the table's first and last entry, by name."""
    content = saved.read_bytes()
    entries = [match.start() for match in re.finditer(b"PK\x01\x02", content)]
    for entry in (entries[0], entries[-1]):
        damaged = bytearray(content)
        damaged[entry + place[1]] ^= 1 << place[2]
        saved.write_bytes(damaged)
        try:
            got = resume(saved)
        except ValueError as error:
            said = str(error)
        else:
            same(got, whole)
            continue
        assert repr(str(saved)) in said


def test_saves_that_lack_an_array(saved, whole):
    """Each array of a save, left out: refused, as a whole save is what its header says."""
    with np.load(saved) as content:
        arrays = dict(content)
    for name in arrays:
        with open(saved, "wb") as file:
            np.savez(file, **{n: a for n, a in arrays.items() if n != name})
        with pytest.raises(ValueError, match=re.escape(repr(str(saved)))):
            resume(saved)
    with open(saved, "wb") as file:
        np.savez(file, **arrays)
    same(resume(saved), whole)  # this is how it was


def test_empty_files_folders_and_other_formats(tmp_path):
    path = tmp_path / "run"
    arrays = tmp_path / "arrays"
    for content in (
        b"",
        b"\0" * 1000,
        b"PK\x03\x04",
        b"some text\n" * 50,
        b"\x80\x04N.",
    ):
        path.write_bytes(content)
        with refused(path):
            resume(path)
    for write in (np.save, np.savez, np.savez_compressed):
        with open(arrays, "wb") as file:
            write(file, np.zeros((4, 4), np.float32))
        with refused(arrays):
            resume(arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with refused(path):
        resume(path)
    with open(path, "wb") as file:  # pickled objects are not run
        np.savez(file, header=np.array([{"a": 1}], object))
    with refused(path):
        resume(path)


@pytest.mark.parametrize("header", ["", "3", "[]", "null", "{}", '"text"', "{", "\0"])
def test_headers_that_are_none(tmp_path, header):
    """An archive like a save, with a header of another make."""
    path = tmp_path / "run"
    with open(path, "wb") as file:
        np.savez(file, header=np.asarray(header), values=np.zeros((4, 4), np.float32))
    with refused(path):
        resume(path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another 1"}, {"format": None}, {"run": []}, {"run": 7}, {"run": {}},
        {"period": "3"}, {"period": None}, {"period": -1}, {"period": T + 1},
        {"period": 2.5},
    ],
    ids=str,
)  # fmt: skip
def test_headers_that_are_wrong(saved, change):
    with np.load(saved) as content:
        arrays = dict(content)
    header = json.loads(str(arrays.pop("header"))) | change
    with open(saved, "wb") as file:
        np.savez(file, header=np.asarray(json.dumps(header)), **arrays)
    with pytest.raises(ValueError, match=re.escape(repr(str(saved)))):
        resume(saved)


def test_a_save_of_an_earlier_version(saved):
    """As the package wrote it when its fields were symbols: a word on what to do."""
    with np.load(saved) as content:
        arrays = dict(content)
    header = json.loads(str(arrays["header"]))
    run = header["run"]
    run["holding"], run["order_cost"] = run.pop("holding_cost"), run.pop("unit_cost")
    run["disposal"] = run.pop("disposal_cost")
    header["format"] = "lectures_helpers.expiry 1"
    arrays["header"] = np.asarray(json.dumps(header))
    with open(saved, "wb") as file:
        np.savez(file, **arrays)
    message = (
        f"checkpoint = {str(saved)!r} was saved by another version of the package, in "
        "the format 'lectures_helpers.expiry 1'; remove it, or name another file"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        resume(saved)


# ----------------------------------------------------------------- saves of other runs


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (dict(model=MODEL._replace(salvage=0.5)), "salvage"),
        (dict(model=MODEL._replace(holding_cost=0.25)), "holding_cost"),
        (dict(model=MODEL._replace(unit_cost=3.0000000000000004)), "unit_cost"),
        (dict(model=MODEL._replace(price=6.0)), "price"),
        (dict(model=MODEL._replace(disposal_cost=2.5)), "disposal_cost"),
        (dict(model=MODEL._replace(discount=1.0)), "discount"),
        (dict(model=MODEL._replace(num_ages=3)), "num_ages"),
        (dict(model=MODEL._replace(num_levels=5)), "num_levels"),
        (dict(model=MODEL._replace(demand_pmf=expiry.poisson_pmf(4, 8))), "demand law"),
        (
            dict(model=MODEL._replace(demand_pmf=[*expiry.poisson_pmf(3, 8), 0])),
            "demand law",
        ),
        (dict(num_periods=T + 1), "num_periods"),
        (dict(num_periods=4), "num_periods"),
        (dict(dtype="float64"), "dtype"),
        (dict(method="threshold"), "method"),
        (dict(keep_policies=False), "keep_policies"),
    ],
    ids=str,
)
def test_saves_of_other_runs(saved, whole, other, name):
    content = saved.read_bytes()
    message = f"checkpoint = {str(saved)!r} is the save of another run: its {name}"
    with pytest.raises(ValueError, match=re.escape(message)):
        resume(saved, **other)
    assert saved.read_bytes() == content  # and it is still good
    same(resume(saved), whole)


def test_the_message_has_both_values(saved):
    with pytest.raises(ValueError, match=r"its price is 5\.0, this one's is 6\.0"):
        resume(saved, MODEL._replace(price=6.0))


# ---------------------------------------------------------------------- what is left over


def test_unfinished_files_of_killed_runs_are_removed(tmp_path):
    for name in ("run", "run[1].npz", "two words *.npz"):
        left = [tmp_path / f".{name}.{kind}" for kind in ("unfinished", "lock")]
        for file in left:
            file.write_bytes(b"PK")
        expiry.solve(MODEL, 2, checkpoint=tmp_path / name)
        assert not any(file.exists() for file in left), name


def test_unfinished_files_of_other_runs_are_left_alone(tmp_path):
    """Another run, with a name that begins alike, may be writing one at this moment."""
    others = [
        tmp_path / f".{name}.unfinished" for name in ("run.2", "run.old.npz", "other")
    ]
    for other in others:
        other.write_bytes(b"PK")
    for name in ("run", "*"):
        expiry.solve(MODEL, 2, checkpoint=tmp_path / name)
        assert all(other.exists() for other in others), name


def test_a_save_that_fails_leaves_the_last_one(saved, whole, monkeypatch):
    """The disk is full: an error, the last save whole, nothing beside it."""
    content = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            resume(saved)
    assert saved.read_bytes() == content
    assert [file.name for file in saved.parent.iterdir()] == ["run"]
    same(resume(saved), whole)


def test_a_file_beside_the_save_is_none_of_its_business(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    expiry.solve(MODEL, 3, checkpoint=tmp_path / "run")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["notes.txt", "run"]


def test_a_path_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expiry.solve(MODEL, 3, checkpoint="run")
    assert Path("run").is_file()


def test_bad_arguments_touch_no_file(tmp_path):
    path = tmp_path / "run"
    with pytest.raises(ValueError, match="num_periods"):
        expiry.solve(MODEL, -1, checkpoint=path)
    with pytest.raises(
        ValueError, match=r"checkpoint must be a file that can .* folder"
    ):
        expiry.solve(MODEL, 3, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="in a folder that exists"):
        expiry.solve(MODEL, 3, checkpoint=tmp_path / "none" / "run")
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------- one save belongs to one run

OWNER = """
import sys, time
from pathlib import Path
from lectures_helpers import expiry
from lectures_helpers.expiry import saves

save = saves.save
saves.save = lambda *args: (save(*args), print("saved", flush=True), time.sleep(600))
model = expiry.create_model(2, 4, expiry.poisson_pmf(3, 8))
expiry.solve(model, 6, checkpoint=sys.argv[1], keep_policies=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs locks that a kill takes away")
def test_a_save_belongs_to_one_run(tmp_path, whole):
    """A second run is refused and told whose it is; the first one's death gives it free."""
    path = tmp_path / "run"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout.readline() == "saved\n"
        message = (
            f"checkpoint = {str(path)!r} belongs to a run that is not over "
            f"(process {owner.pid} on {socket.gethostname()}); wait for it, or name another"
        )
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        for _ in range(2):
            with pytest.raises(ValueError, match=re.escape(message)):
                resume(path)
        assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == files
        resume(tmp_path / "another")  # in the same folder
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    same(resume(path), whole)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["another", "run"]


def test_two_runs_in_one_process(tmp_path, monkeypatch, whole):
    """The second begins while the first is writing, and leaves its file alone."""
    path, refusals, write = tmp_path / "run", [], os.replace

    def put(*args, **kwargs):
        with pytest.raises(ValueError, match="belongs to a run that is not over"):
            resume(path)
        refusals.append(args)
        write(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", put)
        same(resume(path), whole)
    assert len(refusals) == T - 1
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
