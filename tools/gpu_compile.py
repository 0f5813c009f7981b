"""Compile every kernel for GPUs that are not here, and count what a call would launch.

    make gpu-compile          (tools/gpu_compile.sh makes the environment, and calls this)

XLA compiles for a card that it is told of: no driver is needed, and nothing runs. So each kernel of
the package is known to compile there, with its memory, and its launches are counted. Times are
predicted from them, and are no more than that: who has a card refutes them by `make bench`.
"""

import argparse
import datetime
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

TARGET = """gpu_device_info {{
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
  shared_memory_per_core: {per_core} threads_per_core_limit: {threads} core_count: {cores}
  fpus_per_core: {fpus} block_dim_limit_x: 2147483647 block_dim_limit_y: 65535
  block_dim_limit_z: 65535 memory_bandwidth: {bandwidth} l2_cache_size: {l2}
  clock_rate_ghz: {clock} device_memory_size: {memory} shared_memory_per_block_optin: {optin}
  cuda_compute_capability {{ major: {major} minor: {minor} }}
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
}}
platform_name: "CUDA" dnn_version_info {{ major: 9 minor: 7 }}
runtime_version {{ major: 12 minor: 9 patch: 0 }} device_description_str: "{name}"
"""
# What the makers say of the cards that Colab lends and that a cluster has.
CARDS = {
    "T4": {
        "name": "Tesla T4", "major": 7, "minor": 5, "cores": 40, "fpus": 64, "clock": 1.59,
        "bandwidth": 320_000_000_000, "memory": 15_843_721_216, "l2": 4_194_304,
        "per_core": 65_536, "optin": 65_536, "threads": 1024,
    },
    "H100": {
        "name": "NVIDIA H100 80GB HBM3", "major": 9, "minor": 0, "cores": 132, "fpus": 128, "clock": 1.98,
        "bandwidth": 3_352_320_000_000, "memory": 84_929_347_584, "l2": 52_428_800,
        "per_core": 233_472, "optin": 232_448, "threads": 2048,
    },
}  # fmt: skip
#: Seconds a launch, from published times of one model on a T4, whose launches are known: 2,000 in
#: 9.56 ms and 1,507 in 6.06 ms, with their draws.
LAUNCH = (4.0e-6, 5.0e-6)
#: Integer operations for one 32-bit word of threefry: 20 rounds of an addition, a rotation and an
#: exclusive or, and 5 additions of keys, make two words.
OPERATIONS = (20 * 3 + 5 * 3) / 2

SEVERAL = {"sharded.backup"}  # is for several cards, and these are one
# What a compiled program's text holds that is no launch; all else outside of fusions is one.
SILENT = {
    "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "opt-barrier",
    "add-dependency", "partition-id", "replica-id",
}  # fmt: skip
HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$")
OPERATION = re.compile(r"^\s+(?:ROOT )?%?[\w.\-]+ = .*?[\])}] ([\w\-]+)\(")


class Count(NamedTuple):
    """What a call launches."""

    launches: int
    turns: int  #: of loops whose length the host learns from the card, once a turn


def count(text: str, turns: int = 1) -> Count:
    """Launches of a compiled program, from its text.

    Args:
        text: what ``compiled.as_text()`` returns.
        turns: how often a loop turns whose length XLA does not know.
    """
    own, called, name = {}, {}, None
    for line in text.splitlines():
        if head := HEAD.match(line):
            name = "ENTRY" if head[1] else head[2]
            own[name], called[name] = 0, []
        elif name and (found := OPERATION.match(line)):
            kind = found[1].removesuffix("-start")
            if kind == "while":
                known = re.search(r'known_trip_count":\s*\{"n":"(\d+)"', line)
                parts = re.findall(r"(?:body|condition)=%?([\w.\-]+)", line)
                called[name].append((parts, int(known[1]) if known else None))
            elif kind == "conditional":
                branches = re.search(r"branch_computations=\{([^}]*)\}", line)
                parts = re.findall(r"(?:true|false)_computation=%?([\w.\-]+)", line)
                parts += re.findall(r"%?([\w.\-]+)", branches[1]) if branches else []
                called[name].append((parts, 1))  # all of them: at most so many
            elif kind == "call":
                called[name].append((re.findall(r"to_apply=%?([\w.\-]+)", line), 1))
            elif kind not in SILENT and not kind.endswith("-done"):
                own[name] += 1

    def total(name):
        launches, waits = own[name], 0
        for parts, trips in called[name]:
            inside = [total(part) for part in parts]
            times = turns if trips is None else trips
            launches += times * sum(part.launches for part in inside)
            waits += times * sum(part.turns for part in inside)
            waits += turns if trips is None else 0
        return Count(launches, waits)

    return total("ENTRY")


def random_words(jaxpr, turns: int = 1) -> int:
    """Words of random bits that a traced function draws."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "random_bits":
            out = equation.outvars[0].aval
            total += math.prod(out.shape) * max(1, out.dtype.itemsize // 4)
        times = equation.params.get("length", 1)
        if equation.primitive.name == "while":
            times = turns
        for value in equation.params.values():
            for inner in value if isinstance(value, (list, tuple)) else [value]:
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    total += times * random_words(inner, turns)
    return total


class Call(NamedTuple):
    """A call of a compiled function, as an example of the package made it."""

    name: str  #: module and function
    function: Callable
    args: tuple
    kwargs: dict


class Recorder:
    """Stands for a compiled function, and notes what it is called with."""

    def __init__(self, name, function, calls):
        self.name, self.function, self.calls = name, function, calls

    def __call__(self, *args, **kwargs):
        import jax

        if not any(
            isinstance(x, jax.core.Tracer) for x in jax.tree.leaves((args, kwargs))
        ):
            self.calls.append(Call(self.name, self.function, args, kwargs))
        return self.function(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.function, name)


def compiled_functions():
    """The package's compiled functions, by module and name, and where each name stands."""
    import jax

    kind = type(jax.jit(lambda x: x))
    modules = {
        n: m for n, m in sys.modules.items() if n.startswith("lectures_helpers.")
    }
    places = [
        (module, name, value)
        for module in modules.values()
        for name, value in vars(module).items()
        if isinstance(value, kind)
    ]
    return {
        f"{value.__module__.rpartition('.')[2]}.{value.__name__}": value
        for _, _, value in places
    }, places


def record(example: Callable[[], object]) -> list[Call]:
    """Run an example on this machine, and note the kernels that it calls, or those it returns."""
    functions, places = compiled_functions()
    names = {id(function): name for name, function in functions.items()}
    calls: list[Call] = []
    for module, name, value in places:
        setattr(module, name, Recorder(names[id(value)], value, calls))
    try:
        given = example()
    finally:
        for module, name, value in places:
            setattr(module, name, value)
    return given if isinstance(given, list) else calls


def examples() -> dict[str, tuple[Callable, int]]:
    """What lectures do, and how often a loop turns whose length is no constant."""
    import jax
    import numpy as np

    from lectures_helpers import demand, expiry
    from lectures_helpers.classical import base_stock, newsvendor, qr
    from lectures_helpers.dynamics import ss
    from lectures_helpers.expiry import exhaustive, periods, tensor, threshold, top_down
    from lectures_helpers.optimal import lost_sales, serial

    key = jax.random.key(0)
    firm = ss.create_parameters()
    start = np.full(50_000, 50.0, "float32")
    dates = [10, 50, 250, 500, 750]
    pmf = expiry.poisson_pmf(8.0, 19)

    def backup(module, m, k, decide=None):
        """A backup alone, of values that need not exist."""
        model = expiry.create_model(m, k, pmf)
        (law,) = periods.create_periods(model, "float32")
        values = jax.ShapeDtypeStruct((k,) * m, "float32")
        name = f"{module.__name__.rpartition('.')[2]}.backup"
        return lambda: [Call(name, module.backup, (values, law), {"decide": decide})]

    def turns(num_firms, num_periods):
        return -(-num_periods // ss.choose_block(num_firms, num_periods).size)

    def rollout():
        model = expiry.create_model()
        rule = expiry.fluid_policy(model, 5)
        expiry.evaluate(model, rule, 5)
        expiry.rollout(model, rule, (4, 1, 2, 0), 5, key=key, num_paths=20_000)

    def chain():
        beer = serial.create_parameters(
            [3.0, 2.0, 1.0], 20.0, pmf / pmf.sum(), [1, 2, 2]
        )
        serial.sample_path(beer, [20, 40, 60], [8] * 60)
        serial.simulate(beer, [20, 40, 60], key=key)

    def lost():
        lost_sales.optimum(
            lost_sales.create_parameters(1.0, 4.0, expiry.poisson_pmf(5.0, 40), 3)
        )

    return {
        "s–S, a path of 150 days": (lambda: ss.sample_path(firm, 50.0, 150, key=key), 1),
        "s–S, 50,000 firms, 500 periods": (
            lambda: ss.cross_section(firm, start, 500, key=key), turns(50_000, 500)),
        "the same, all demands first": (
            lambda: ss.cross_section_vectorized(firm, start, 500, key=key), 1),
        "the same, a compiled loop": (
            lambda: ss.cross_section_compiled(firm, start, 500, key=key), 500),
        "the same, one period": (lambda: ss.one_period(firm, start, key, 3), 1),
        "s–S, 10,000 firms at five dates to 750": (
            lambda: ss.distribution_dynamics(firm, 50.0, dates, key=key), 1),
        "s–S, restocks of a million firms": (
            lambda: ss.restock_frequency(firm, key=key), turns(10**6, 50)),
        "newsvendor, 40 orders": (
            lambda: newsvendor.simulate(
                newsvendor.create_parameters(), demand.create_distribution("normal", 225.0, 0.1),
                np.linspace(100.0, 400.0, 40, dtype="float32"), key=key), 1),
        "base stock, 16 levels": (
            lambda: base_stock.simulate(base_stock.create_parameters(), None, None, range(5, 21), key=key), 1),
        "base stock, one level": (
            lambda: base_stock.simulate(base_stock.create_parameters(), None, None, 11, key=key), 1),
        "(Q, r), one pair, gamma lead times": (
            lambda: qr.simulate(qr.create_parameters(), None, demand.create_distribution("gamma", None, 0.5), 26, 11, key=key), 1),
        "a million gamma numbers": (
            lambda: demand.sample(demand.create_distribution("gamma", 225.0, 0.8), 10**6, key=key), 1),
        "a rule's value and its paths, 10,000 states": (rollout, 1),
        "a solve with its certificate, 10,000 states": (
            lambda: expiry.solve(expiry.create_model(), 1), 1),
        "exhaustive, m = 3, k = 8": (backup(exhaustive, 3, 8), 1),
        "threshold, m = 3, k = 8": (backup(threshold, 3, 8), 1),
        "top-down, m = 3, k = 8": (backup(top_down, 3, 8), 1),
        "tensor, m = 4, k = 10": (backup(tensor, 4, 10), 1),
        "tensor, m = 6, k = 10": (backup(tensor, 6, 10), 1),
        "tensor, m = 8, k = 9": (backup(tensor, 8, 9), 1),
        "tensor with decisions, m = 6, k = 10": (backup(tensor, 6, 10, "int16"), 1),
        "lost sales, a turn of value iteration, lead time 3": (lost, 1),
        "a chain of three stages, and 1,000 of them for 1,000 days": (chain, 1),
    }  # fmt: skip


def on_card(card: str):
    """Return a function that puts an argument, abstract, on a card that is not there."""
    import jax
    import numpy as np
    from jax.experimental import topologies

    topology = topologies.get_topology_desc(
        platform="cuda", target_config=TARGET.format(**CARDS[card]), topology="1x1x1"
    )
    mesh = topologies.make_mesh(topology, (1,), ("card",))
    whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

    def place(x):
        if not isinstance(
            x, jax.Array | np.ndarray | np.generic | jax.ShapeDtypeStruct
        ):
            return x
        weak = getattr(x, "weak_type", False)
        return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=whole, weak_type=weak)

    return place


def measure(call: Call, place: Callable, turns: int) -> dict:
    import jax

    args, kwargs = jax.tree.map(place, (call.args, call.kwargs))
    lowered = call.function.lower(*args, **kwargs)
    start = time.perf_counter()
    compiled = lowered.compile()
    seconds = time.perf_counter() - start
    found, memory = count(compiled.as_text(), turns), compiled.memory_analysis()
    return {
        "launches": found.launches,
        "host_turns": found.turns,
        "argument_bytes": memory.argument_size_in_bytes,
        "result_bytes": memory.output_size_in_bytes,
        "temporary_bytes": memory.temp_size_in_bytes,
        "compile_s": round(seconds, 1),
    }


def predict(row: dict, card: str, words: int) -> dict:
    """What the card needs at the least, and that with the launches, seconds."""
    has = CARDS[card]
    moved = row["argument_bytes"] + row["result_bytes"] + 2 * row["temporary_bytes"]
    integers = has["cores"] * 64 * has["clock"] * 1e9  # a second: 64 of a core's lanes
    limit = max(moved / has["bandwidth"], words * OPERATIONS / integers)
    return {
        "limit_s": limit,
        "predicted_s": [limit + row["launches"] * each for each in LAUNCH],
    }


def signature(call: Call) -> str:
    import jax

    leaves = jax.tree.leaves((call.args, call.kwargs))
    shapes = [f"{x.dtype}{x.shape}" if hasattr(x, "dtype") else str(x) for x in leaves]
    return " ".join([call.name, *shapes])


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_compile")
    parser.add_argument("--cards", nargs="+", choices=CARDS, default=list(CARDS))
    parser.add_argument("--only", default="", help="examples whose names hold this")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()

    # Before JAX starts: no card is looked for, and XLA finds NVIDIA's assembler in its wheel.
    import nvidia

    tools = Path(next(iter(nvidia.__path__))) / "cuda_nvcc"
    os.environ["JAX_SKIP_CUDA_CONSTRAINTS_CHECK"] = "1"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["XLA_FLAGS"] = (
        f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_cuda_data_dir={tools}"
    )
    import jax

    jax.default_backend = lambda: "gpu"  # the package's branches for one
    places = {card: on_card(card) for card in options.cards}
    kernels, seen = [], set()
    for what, (example, turns) in examples().items():
        if options.only not in what:
            continue
        calls = record(example)
        groups: dict[str, list[Call]] = {}
        for call in calls:
            groups.setdefault(signature(call), []).append(call)
            seen.add(call.name)
        for same in groups.values():
            call = same[0]
            traced = call.function.trace(*call.args, **call.kwargs)
            words = random_words(traced.jaxpr.jaxpr, turns)
            row = {
                "example": what,
                "kernel": call.name,
                "calls": len(same),
                "random_words": words,
                "on": {},
            }
            for card, place in places.items():
                found = measure(call, place, turns)
                row["on"][card] = found | predict(found, card, words)
                print(
                    f"{what}: {call.name} x {len(same)} on {card}: {found}", flush=True
                )
            kernels.append(row)
    if not options.only:
        missing = set(compiled_functions()[0]) - seen - SEVERAL
        if missing:
            sys.exit(f"no example calls {', '.join(sorted(missing))}: add one")
    if options.output:
        versions = {
            n: metadata.version(n) for n in ("jax", "jaxlib", "jax-cuda12-plugin")
        }
        written = {
            "benchmark": "compiled",
            "date": datetime.date.today().isoformat(),
            "versions": versions,
            "cards": {card: CARDS[card]["name"] for card in options.cards},
            "launch_s": LAUNCH,
            "kernels": kernels,
        }
        options.output.write_text(
            json.dumps(written, indent=1, ensure_ascii=False) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()
