"""The benchmarks run and write what they should; how fast, no test judges."""

import json
import sys
from itertools import chain
from pathlib import Path

import jax
import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import (
    classical,
    expiry,
    expiry_formulations,
    optimal,
    record,
    scaling,
    ss,
)
from lectures_helpers.dynamics import ss_exact
from lectures_helpers.expiry import exhaustive, tensor


def run_tiny(folder, *options):
    benchmarks.main(["--tiny", "--output", str(folder), *options])
    paths = sorted(folder.iterdir(), reverse=True)  # s–S, scaling, optimal, ...
    return paths, [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def test_tiny_run_is_recorded(tmp_path, capsys):
    pytest.importorskip("numba", reason="a peer that the course does not need")
    pytest.importorskip("simpy", reason="a peer that the course does not need")
    pytest.importorskip("mdpax", reason="a peer that the course does not need")
    pytest.importorskip("stockpyl", reason="a peer that the course does not need")
    with jax.numpy_dtype_promotion("standard"):  # MDPax multiplies integers by floats
        paths, results = run_tiny(tmp_path)
    topics = "ss", "scaling", "optimal", "expiry", "classical"
    names = [f"{name}-cpu.json" for name in topics]
    assert [path.name for path in paths] == names
    output = capsys.readouterr().out
    for path, result in zip(paths, results, strict=True):
        assert str(path) in output
        assert result["tiny"] is True
        assert result["missing"] == []
        machine = result["machine"]
        assert machine["cpu"]
        assert machine["cores"] >= 1
        assert machine["device"]["platform"] == "cpu"
        assert machine["versions"]["jax"]
    tables = [list(result["tables"].values()) for result in results]
    lengths = [[len(table) for table in each] for each in tables]
    assert lengths == [
        *([7, 2, 2], [2, 1, 3, 3], [3, 2, 2, 2, 2]),
        *([6, 6, 1, 4, 4], [4, 3, 3, 2, 2, 2, 2]),
    ]
    for table in chain.from_iterable(tables):
        assert table[0]["ratio"] == 1.0
        for row in table:
            assert row["name"]
            assert row["check"]
            assert 0 < row["q1_s"] <= row["median_s"] <= row["q3_s"]
    for path in paths:
        readable(path)
    assert results[3]["deep_peak_bytes"] > 0
    more_classes, more_levels, backup, section = results[1]["tables"].values()
    assert [row["states"] for row in (*more_classes, *more_levels)] == [16, 64, 27]
    assert [row["devices"] for row in backup] == [1, 1, 2]
    assert backup[2]["bytes_per_device"] < backup[0]["bytes_per_device"]
    assert backup[2]["exchanged_bytes"] > backup[1]["exchanged_bytes"] == 0
    assert [row["check"]["different_stocks"] for row in section] == [0, 0, 0]


def readable(path):
    """What the page on performance reads of a record is there."""
    result = json.loads(path.read_text(encoding="utf-8"))
    topic, machine = result["benchmark"], result["machine"]
    assert path.name.startswith(topic)
    assert {"cpu", "cores", "date", "versions", "device"} <= machine.keys()
    assert {"platform", "kind"} <= machine["device"].keys()
    assert result["rounds"] >= 2
    for title, rows in result["tables"].items():
        for row in rows:
            times = {"first_s", "median_s", "q1_s", "q3_s"}
            assert {"name", "ratio", "check", *times} <= row.keys()
            if title.startswith("Base stock"):
                assert row["per_s"] > 0
            if title.startswith("More "):
                assert {"m", "k", "states", "per_s", "compile_s"} <= row.keys()
                assert row["required_bytes"] > 0
    if topic == "expiry":
        assert "deep_peak_bytes" in result
        assert all(seconds > 0 for seconds in result["compile_s"].values())
        assert all(rate > 0 for rate in machine["speed"].values())
    distances = result.get("distance_to_the_floor", {})
    parts = {
        "ss": {"draws", "draws_s"},
        "expiry": {"multiply_adds", "arithmetic_s", "bytes", "memory_s"},
        "classical": {"parts_s"},
    }
    for distance in distances.values():
        assert distance["times_floor"] > 0
        assert parts[topic] <= distance.keys()
    if topic in ("ss", "classical") and distances:
        assert all(rate > 0 for rate in result["machine_rates"].values())
    if topic == "expiry":
        assert distances.keys() == result["compile_s"].keys()


RESULTS = sorted((Path(benchmarks.__file__).parent / "results").glob("*.json"))


@pytest.mark.parametrize(
    "path",
    [path for path in RESULTS if not path.stem.startswith("compiled")],  # predictions
    ids=lambda path: path.stem,
)
def test_measurements_can_be_read(path):
    readable(path)
    assert json.loads(path.read_text(encoding="utf-8"))["tiny"] is False


def test_goes_on_without_missing_peers(tmp_path, monkeypatch, capsys):
    for peer in (
        "numba",
        "simpy",
        "mdpax.core.problem",
        "mdpax.problems.perishable_inventory.de_moor_single_product",
        "stockpyl",
    ):
        monkeypatch.setitem(sys.modules, peer, None)
    modules = ["ss_numba", "classical_numba", "classical_simpy", "classical_stockpyl"]
    for module in [
        *modules,
        "expiry_numba",
        "expiry_mdpax",
        "optimal_stockpyl",
        "optimal_mdpax",
        "issuing_mdpax",
    ]:
        monkeypatch.delitem(sys.modules, f"benchmarks.{module}", raising=False)
        monkeypatch.delattr(f"benchmarks.{module}", raising=False)
    topics = "ss", "optimal", "expiry", "classical"
    paths, results = run_tiny(tmp_path, "--only", *topics)
    names = [f"{name}-cpu.json" for name in topics]
    assert [path.name for path in paths] == names  # what --only names, and no more
    install = "pip install -r benchmarks/requirements.txt"
    lines = [
        [f"Numba is missing, its kernel is left out: {install}"],
        [
            "Stockpyl is missing, its best (s, S) is left out: "
            f"{install} && pip install --no-deps stockpyl",
            "MDPax is missing, its backup with lost sales is left out: "
            f"{install} && pip install --no-deps mdpax",
        ],
        [
            f"Numba is missing, its top-down is left out: {install}",
            "MDPax is missing, its value iteration is left out: "
            f"{install} && pip install --no-deps mdpax",
            "MDPax is missing, its own problem of goods that perish is left out: "
            f"{install} && pip install --no-deps mdpax",
        ],
        [
            f"Numba is missing, its event loop is left out: {install}",
            f"SimPy is missing, its model is left out: {install}",
            "Stockpyl is missing, its optima are left out: "
            f"{install} && pip install --no-deps stockpyl",
        ],
    ]
    assert [result["missing"] for result in results] == lines
    output = capsys.readouterr().out.splitlines()
    assert set(output) >= set(chain.from_iterable(lines))
    for result in results:
        names = {row["name"] for table in result["tables"].values() for row in table}
        peers = "Numba", "SimPy", "MDPax", "Stockpyl"
        assert not any(peer in name for peer in peers for name in names)


def test_a_wrong_sweep_is_noticed():
    right = np.full(10, 0.5830), np.full(10, 5.84)
    assert classical.follows(right[1], right[0], 20_000)["exact_cost"] > 5.8
    for total, filled in [(right[1] + 1.0, right[0]), (right[1], right[0] + 0.05)]:
        with pytest.raises(AssertionError, match="disagrees with the exact result"):
            classical.follows(total, filled, 20_000)


@pytest.mark.parametrize("wrong", [((5, 3), 71.96), ((6, 3), 71.95), ((5, 4), 71.95)])
def test_a_wrong_optimum_is_noticed(wrong):
    right = (5, 3), 71.95
    assert classical.same_optimum(right, "right", right)["relative_gap"] == 0.0
    with pytest.raises(AssertionError, match="wrong finds"):
        classical.same_optimum(right, "wrong", wrong)


@pytest.mark.parametrize("wrong", [(1.0, 1.5), (1.1, 1.1 + 1e-7), (0.8, 0.8 + 1e-7)])
def test_wrong_bounds_are_noticed(wrong):
    assert optimal.encloses(1.0, "right", (1.0, 1.0 + 5e-7))["apart"] < 1e-6
    with pytest.raises(AssertionError, match="wrong finds"):
        optimal.encloses(1.0, "wrong", wrong)


def test_a_wrong_backup_is_noticed():
    _, period, values = expiry.start(expiry.TINY.cases[0])
    check = expiry.checker(values, period)
    right = tensor.backup(values, period)[0]
    assert set(check("right", right)) == {"gap", "gap_to_definition"}
    with pytest.raises(AssertionError, match="values are off"):
        check("wrong", right.at[3, 3, 3].add(0.01))


def test_stock_is_sold_off_where_the_backup_is_timed():
    for case in (*expiry.TINY.cases, expiry.Sizes().cases[0]):
        _, period, values = expiry.start(case)
        depletion = tensor.backup(values, period, decide="int32")[1].depletion
        assert 0.1 < (depletion > 0).mean() < 0.9


@pytest.mark.parametrize("shape", [(2, 5, 9), (3, 4, 30), (5, 2, 3)])
def test_formulations_agree(shape):
    """With demand that ends before the shelves do, and with demand that goes beyond."""
    m, k, most = shape
    _, period, values = expiry.start(expiry.Case(m, k, 3.0, most, expiry.WIDE))
    right = exhaustive.backup(values, period)[0]
    for form in expiry_formulations.FORMS.values():
        np.testing.assert_allclose(form(values, period), right, rtol=2e-5, atol=1e-5)


def test_a_wrong_large_model_is_noticed():
    _, period, values = expiry.start(scaling.sized(3, 4))
    right = tensor.backup(values, period)[0]
    check = scaling.against_definition
    assert check(values, period, scaling.TINY, right)["gap_to_definition"] < 1e-4
    with pytest.raises(AssertionError, match="values are off"):
        check(values, period, scaling.TINY, right + 0.01)


def test_models_grow_from_thousands_to_millions():
    for cases in scaling.families(scaling.Sizes()).values():
        states = [case.k**case.m for case in cases]
        assert states == sorted(states)
        assert states[0] < 2_000
        assert 9_000_000 < states[-1] < 11_000_000


def test_floors_add_up():
    """Rates of one a second: a floor is the work, in seconds."""
    sizes = ss.TINY
    tables = {str(i): [{"median_s": 4.0}] for i in range(3)}
    found = ss.distances_to_the_floor(tables, sizes, {"normals_per_s": 1.0})
    assert [each["draws"] for each in found.values()] == [200 * 12, 100 * 7, 500 * 30]
    np.testing.assert_allclose(found["1"]["times_floor"], 4 / 700)
    rates = {f"{name}_per_s": 1.0 for name in classical.OPERATIONS}
    names = ["Base stock, deterministic", "Base stock, exponential", "(Q, r)"]
    tables = {name: [{"median_s": 1.0}] for name in names}
    found = classical.distances_to_the_floor(tables, classical.TINY, rates)
    work = 3 * 400 * np.array([1 + 1 + 16, 2 + 1 + 1 + 16])
    assert list(found) == names[:2]
    np.testing.assert_allclose([1 / f["times_floor"] for f in found.values()], work)


def test_multiply_adds_by_hand():
    """m = 2, k = 2, demand of 0 or 1: a table of 3 x 2, and chains that move 0, 1, 1 times."""
    case = expiry.Case(2, 2, 1.0, 1, expiry.WIDE)
    assert expiry.multiply_adds(case) == {"needed": 6 + 2 * 2, "done": 6 + 3 * 2 * 2}


def test_a_wrong_result_is_never_timed():
    law = ss_exact.marginal(ss.PARAMS, 50.0, 12)
    right = ss.cross_section_numpy(ss.PARAMS, 50.0, 12, 0, 1000)
    assert set(ss.follows(law, right)) == {"mean_in_standard_errors", "ks_p_value"}
    with pytest.raises(AssertionError, match="standard errors off the exact one"):
        ss.follows(law, right + 5.0)
    calls = []

    def wrong():
        calls.append(None)
        return right + 5.0

    with pytest.raises(AssertionError, match="standard errors off"):
        record.side_by_side({"wrong": wrong}, lambda _, X: ss.follows(law, X), rounds=3)
    assert len(calls) == 1


def test_contenders_take_turns(monkeypatch):
    ticks = iter(np.arange(100.0))
    monkeypatch.setattr(record.time, "perf_counter", lambda: next(ticks))
    turns = []
    contenders = {name: lambda name=name: turns.append(name) for name in "ab"}
    results = record.side_by_side(contenders, lambda name, _: {"name": name}, rounds=3)
    assert "".join(turns) == "ab" * 4
    assert [row["median_s"] for row in results] == [1.0, 1.0]
    assert results[1]["check"] == {"name": "b"}
    assert "ratio" in record.table("Title", results).splitlines()[1]


def test_ratios_are_for_as_much_work():
    work = {"much": 1000, "little": 10}
    contenders = dict.fromkeys(work, lambda: sum(range(1000)))
    results = record.side_by_side(contenders, lambda *_: {}, 3, work)
    much, little = results
    np.testing.assert_allclose(
        little["ratio"], little["median_s"] / 10 / (much["median_s"] / 1000)
    )
    np.testing.assert_allclose(much["per_s"], 1000 / much["median_s"])
    assert "million a second" in record.table("Title", results)


def test_results_are_named_after_the_device(tmp_path):
    result = {"machine": {"device": {"kind": "NVIDIA Tesla T4 (16 GB)"}}}
    assert record.write(tmp_path, "ss", result).name == "ss-nvidia-tesla-t4-16-gb.json"
    with pytest.raises(ValueError, match="Out of range"):
        record.write(tmp_path, "ss", result | {"median": np.nan})


@pytest.mark.parametrize("wrong", [[[1.0, 1.01]], [[1.01, 1.0101]]])
def test_wrong_costs_of_lost_sales_are_noticed(wrong):
    right = np.array([[1.0, 1.0005]])
    assert optimal.alike(right, "right", right)["optima_apart"] == 0.0
    with pytest.raises(AssertionError, match="wrong finds"):
        optimal.alike(right, "wrong", np.array(wrong))
