"""Meshes: the same numbers on one device, on eight, and in two processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from lectures_helpers import expiry, sharding
from lectures_helpers.dynamics import ss

HERE = Path(__file__).parent
MODEL = expiry.create_model(
    3, 4, [0.2, 0.5, 0.3])  # fmt: skip


def environment(devices):
    """A process of its own: only XLA's start-up can make virtual devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    return {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}


@pytest.fixture(scope="module")
def eight():
    """What tests/eight_devices.py found."""
    done = subprocess.run(
        [sys.executable, str(HERE / "eight_devices.py")],
        env=environment(8), capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["devices"] == 8
    return report


@pytest.fixture(scope="module", autouse=True)
def compiled_as_everywhere():
    """With all optimizations, as in the processes that are started here: bits are compared."""
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()
    yield
    fast = not os.environ.get("FULL_OPTIMIZATION")  # as in conftest.py
    jax.config.update("jax_disable_most_optimizations", fast)
    jax.clear_caches()


def test_simulations_do_not_depend_on_the_number_of_devices(eight):
    names = eight["simulations"]
    assert names == [], f"8 devices: other bits than on one in {names}"


def test_lost_sales_do_not_depend_on_the_number_of_devices(eight):
    found = eight["lost sales"]
    alone, shared = found["alone"], found["shared"]
    assert alone[2] == shared[2]  # states
    # Values reach a hundred, and float32 rounds them by up to 4e-6, each time.
    np.testing.assert_allclose(shared[:2], alone[:2], atol=5e-5)
    assert found["sent"] == 7 / 8, (
        "each value but a device's own goes once, to one other"
    )


def test_firms_do_not_depend_on_there_being_a_mesh(eight):
    assert eight["firms without a mesh"] == []


def test_without_a_mesh_only_rounding_differs(eight):
    # Replications are summed in another order there: 32 bits, sums of some 300 terms.
    assert eight["without a mesh"] < 1e-5


def test_solver_does_not_depend_on_the_mesh(eight):
    assert len(eight["solvers"]) == 2
    for case, found in eight["solvers"].items():
        rounding = 1e-12 if "float64" in case else 1e-6
        assert found["values"] <= rounding, case
        assert found["shape"], case
        assert found["decisions"], case
        assert found["gap"] < rounding, case


def test_memory_of_a_device_falls_with_their_number(eight):
    memory = {int(n): found["memory"] for n, found in eight["scale"].items()}
    # M = a / n + b: b is what every device holds whole, a few times V(0, ·), one 16th of V.
    a = 2 * (memory[1] - memory[2])
    b = memory[1] - a
    for n in (4, 8):
        # Blocks of columns are whole numbers of columns: hence the slack.
        np.testing.assert_allclose(memory[n], a / n + b, rtol=0.1)
    assert b < 12 / 16
    assert memory[8] < memory[1] / 6


def test_bytes_exchanged_are_those_of_the_compiled_program(eight):
    for n, found in eight["scale"].items():
        assert found["compiled"] == pytest.approx(found["exchanged"], rel=1e-12)
        # One array, less what stays where it is, and twice one 16th for every other device.
        expected = (int(n) - 1) / int(n) + 2 * (int(n) - 1) / 16
        assert found["exchanged"] == pytest.approx(expected, rel=1e-12)


# ------------------------------------------------------------------ two processes


def launch(task, folder):
    """Start both processes of a run."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = []
    for rank in range(2):
        script = HERE / "process_of_two.py"
        command = [sys.executable, script, task, folder, f"127.0.0.1:{port}", rank]
        with open(folder / f"log-{rank}.txt", "w") as log:  # the process keeps its own
            processes.append(
                subprocess.Popen(
                    [str(word) for word in command],
                    env=environment(2),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
    return processes


def finish(processes, folder, seconds=360):
    """Wait for all, and leave none behind; return their exit codes."""
    end = time.monotonic() + seconds
    try:
        return [p.wait(max(0.1, end - time.monotonic())) for p in processes]
    except subprocess.TimeoutExpired:
        logs = [(folder / f"log-{r}.txt").read_text()[-1500:] for r in range(2)]
        pytest.fail("a process hangs:\n" + "\n".join(logs))
    finally:
        for process in processes:
            process.kill()
            process.wait()


def process_of_two():
    sys.path.insert(0, str(HERE))
    try:
        import process_of_two
    finally:
        sys.path.remove(str(HERE))
    return process_of_two


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Two processes, one of which is killed in a long run; two more, who finish it."""
    folder = tmp_path_factory.mktemp("two")
    first, second = processes = launch("begin", folder)
    save = folder / "run.npz"
    try:
        end = time.monotonic() + 240
        while not save.exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert save.exists(), (folder / "log-0.txt").read_text()[-2000:]
        time.sleep(0.5)
        second.send_signal(signal.SIGKILL)
        # Ten seconds of patience, and the time that ending takes.
        left = first.wait(90)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    unfinished = not list(folder.glob("values-*.npy"))
    codes = finish(launch("resume", folder), folder)
    return {"folder": folder, "left": left, "unfinished": unfinished, "codes": codes}


def test_two_processes_give_the_numbers_of_one(story):
    alone = process_of_two().results(sharding.create_mesh(1))
    for rank in range(2):
        with np.load(story["folder"] / f"process-{rank}.npz") as found:
            for name in ("section", "cost", "standard_error", "depletion", "order"):
                np.testing.assert_array_equal(found[name], alone[name], err_msg=name)
            np.testing.assert_allclose(found["values"], alone["values"], rtol=1e-6)


def test_a_killed_process_ends_the_others_and_the_run_goes_on(story):
    assert story["left"] != 0, "the other process went on as if nothing had happened"
    assert story["unfinished"]
    uninterrupted = expiry.solve(process_of_two().MODEL, 40, dtype="float32").values
    for rank in range(2):
        np.testing.assert_array_equal(
            np.load(story["folder"] / f"values-{rank}.npy"), uninterrupted
        )


def test_processes_that_disagree_all_end(story):
    assert 0 not in story["codes"]
    for rank in range(2):
        log = (story["folder"] / f"log-{rank}.txt").read_text()
        assert "they agree" in log
        assert "solve must be called alike by every process" in log
        assert f"'num_periods': {3 + rank}" in log


# ---------------------------------------------------------------------- bad input


def test_a_mesh_of_explicit_axes_is_refused():
    mesh = jax.make_mesh((1,), ("x",), axis_types=(jax.sharding.AxisType.Explicit,))
    with pytest.raises(ValueError, match=r"mesh must come from sharding\.create_mesh"):
        sharding.checked_mesh(mesh)


def test_a_mesh_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"num_devices must be <= 1.*got 2"):
        sharding.create_mesh(2)
    with pytest.raises(ValueError, match="num_devices must be an integer >= 1"):
        sharding.create_mesh(0)
    with pytest.raises(ValueError, match=r"mesh must come from sharding\.create_mesh"):
        ss.cross_section(
            ss.create_parameters(), 50.0, 3, key=jax.random.key(0), mesh="all"
        )


def test_uneven_shares_are_refused():
    class Eight:  # a mesh of eight devices, as far as shares go
        size = 8

    class Mesh(Eight, sharding.Mesh):
        def __new__(cls):
            return object.__new__(cls)

        def __init__(self):
            pass

        axis_names = ("devices",)
        axis_types = (jax.sharding.AxisType.Auto,)

    with pytest.raises(
        ValueError, match="num_firms must be a multiple of the mesh's 8 devices, such as 8 or 16, got 10"
    ):  # fmt: skip
        sharding.checked_share("num_firms", 10, Mesh())
    sharding.checked_share("num_firms", 16, Mesh())
    with pytest.raises(ValueError, match="devices, such as 8, got 3"):
        sharding.checked_share("num_firms", 3, Mesh())


def test_states_are_shared_by_the_tensor_method_alone():
    mesh = sharding.create_mesh(1)
    with pytest.raises(ValueError, match="mesh must be None with method 'top_down'"):
        expiry.solve(MODEL, 2, method="top_down", mesh=mesh)
    with pytest.raises(ValueError, match="mesh must be None for num_ages = 2"):
        expiry.solve(MODEL._replace(num_ages=2), 2, mesh=mesh)


def test_what_no_mesh_can_hold_is_refused_with_both_sizes():
    large = MODEL._replace(num_ages=30, num_levels=10)
    with pytest.raises(ValueError, match=r"10\^30 = .* need .*GiB .* there are .* GiB"):
        expiry.solve(large, 2, mesh=sharding.create_mesh(1))
