"""The benchmarks run and write what they should; how fast, no test judges."""

import json
import sys

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import record, ss
from lectures_helpers import ss_exact


def run_tiny(folder):
    benchmarks.main(["--tiny", "--output", str(folder)])
    (path,) = folder.iterdir()
    return path, json.loads(path.read_text(encoding="utf-8"))


def test_tiny_run_is_recorded(tmp_path, capsys):
    pytest.importorskip("numba", reason="a peer that the course does not need")
    path, result = run_tiny(tmp_path)
    assert path.name == "ss-cpu.json"
    assert str(path) in capsys.readouterr().out
    assert result["tiny"] is True
    assert result["missing"] == []
    machine = result["machine"]
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["device"]["platform"] == "cpu"
    assert machine["versions"]["jax"]
    cross_section, dynamics, restocks = result["tables"].values()
    assert len(cross_section) == 7
    assert len(dynamics) == len(restocks) == 2
    for table in (cross_section, dynamics, restocks):
        assert table[0]["ratio"] == 1.0
        for row in table:
            assert row["name"]
            assert row["check"]
            assert 0 < row["q1_s"] <= row["median_s"] <= row["q3_s"]


def test_goes_on_without_a_missing_peer(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "benchmarks.ss_numba", raising=False)
    monkeypatch.delattr("benchmarks.ss_numba", raising=False)
    _, result = run_tiny(tmp_path)
    line = "Numba is missing, its kernel is left out: pip install -r benchmarks/requirements.txt"
    assert capsys.readouterr().out.splitlines()[0] == line
    assert result["missing"] == [line]
    assert not any(
        "Numba" in row["name"] for row in next(iter(result["tables"].values()))
    )


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


def test_results_are_named_after_the_device(tmp_path):
    result = {"machine": {"device": {"kind": "NVIDIA Tesla T4 (16 GB)"}}}
    assert record.write(tmp_path, "ss", result).name == "ss-nvidia-tesla-t4-16-gb.json"
    with pytest.raises(ValueError, match="Out of range"):
        record.write(tmp_path, "ss", result | {"median": np.nan})
