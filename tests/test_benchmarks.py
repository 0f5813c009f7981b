"""The benchmarks run and write what they should; how fast, no test judges."""

import json
import sys

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import classical, record, ss
from lectures_helpers import ss_exact


def run_tiny(folder):
    benchmarks.main(["--tiny", "--output", str(folder)])
    paths = sorted(folder.iterdir(), reverse=True)  # s–S, then the classical models
    return paths, [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def test_tiny_run_is_recorded(tmp_path, capsys):
    pytest.importorskip("numba", reason="a peer that the course does not need")
    pytest.importorskip("simpy", reason="a peer that the course does not need")
    paths, results = run_tiny(tmp_path)
    assert [path.name for path in paths] == ["ss-cpu.json", "classical-cpu.json"]
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
    assert [[len(table) for table in each] for each in tables] == [[7, 2, 2], [4, 3, 3]]
    for table in [*tables[0], *tables[1]]:
        assert table[0]["ratio"] == 1.0
        for row in table:
            assert row["name"]
            assert row["check"]
            assert 0 < row["q1_s"] <= row["median_s"] <= row["q3_s"]


def test_goes_on_without_missing_peers(tmp_path, monkeypatch, capsys):
    for peer in ("numba", "simpy"):
        monkeypatch.setitem(sys.modules, peer, None)
    for module in ("ss_numba", "classical_numba", "classical_simpy"):
        monkeypatch.delitem(sys.modules, f"benchmarks.{module}", raising=False)
        monkeypatch.delattr(f"benchmarks.{module}", raising=False)
    _, results = run_tiny(tmp_path)
    install = "pip install -r benchmarks/requirements.txt"
    lines = [
        [f"Numba is missing, its kernel is left out: {install}"],
        [
            f"Numba is missing, its event loop is left out: {install}",
            f"SimPy is missing, its model is left out: {install}",
        ],
    ]
    assert [result["missing"] for result in results] == lines
    output = capsys.readouterr().out.splitlines()
    assert set(output) >= {*lines[0], *lines[1]}
    for result in results:
        names = {row["name"] for table in result["tables"].values() for row in table}
        assert not any("Numba" in name or "SimPy" in name for name in names)


def test_a_wrong_sweep_is_noticed():
    right = np.full(10, 0.5830), np.full(10, 5.84)
    assert classical.follows(right[1], right[0], 20_000)["exact_cost"] > 5.8
    for total, filled in [(right[1] + 1.0, right[0]), (right[1], right[0] + 0.05)]:
        with pytest.raises(AssertionError, match="disagrees with the exact result"):
            classical.follows(total, filled, 20_000)


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
