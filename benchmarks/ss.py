"""s–S dynamics: the course's kernels, plain NumPy, Numba, and the exact law, side by side."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from benchmarks import record
from lectures_helpers.dynamics import ss, ss_exact

PARAMS = ss.create_parameters()


class Sizes(NamedTuple):
    """Sizes of a run; the defaults are those of the lectures."""

    num_firms: tuple[int, ...] = (50_000,)  # cross-sections, one table for each number
    num_periods: int = 500
    dynamics_firms: int = 10_000
    dates: tuple[int, ...] = (10, 50, 250, 500, 750)
    restock_firms: int = 1_000_000
    restock_periods: int = 50
    rounds: int = 15


TINY = Sizes((200,), 12, 100, (2, 7), 500, 30, rounds=2)
ON_GPU = Sizes(num_firms=(50_000, 1_000_000), restock_firms=1_000_000, rounds=25)


def main(folder, *, tiny=False):
    """Run everything, print tables, and write the record to a folder; return its path."""
    on_gpu = jax.default_backend() != "cpu"
    sizes = TINY if tiny else ON_GPU if on_gpu else Sizes()
    peers, missing = record.peers(PEERS)
    for line in missing:
        print(line)
    tables = {}
    for num_firms in sizes.num_firms:
        title = f"Cross-section: {num_firms:,} firms, {sizes.num_periods} periods"
        tables[title] = cross_sections(num_firms, sizes, peers)
        print(record.table(title, tables[title]))
    title = (
        f"Distribution dynamics: {sizes.dynamics_firms:,} firms, dates {sizes.dates}"
    )
    tables[title] = distribution_dynamics(sizes)
    print(record.table(title, tables[title]))
    title = f"Restock frequency: {sizes.restock_firms:,} firms, {sizes.restock_periods} periods"
    tables[title] = restock_frequency(sizes)
    print(record.table(title, tables[title]))
    rates = machine_rates(sizes)
    distances = distances_to_the_floor(tables, sizes, rates)
    print(
        f"This machine: {rates['normals_per_s'] / 1e6:.0f} million normal numbers and "
        f"{rates['bits_per_s'] / 1e6:.0f} million words of random bits a second"
    )
    for title, distance in distances.items():
        print(f"  {title}: {distance['times_floor']:.2f} times the floor")
    return record.finish(
        folder, "ss", sizes, tiny=tiny, missing=missing, tables=tables,
        machine_rates=rates,
        distance_to_the_floor=distances,
    )  # fmt: skip


#: A generator that JAX has had since 2026, beside Threefry, its default.
PHILOX = "philox2x32"


def has_generator(name):
    """Whether this JAX can make keys of a generator."""
    try:
        jax.random.key(0, impl=name)
    except ValueError:
        return False
    return True


PEERS = {"numba": ("ss_numba", "Numba is missing, its kernel is left out")}


# ------------------------------------------------------------------ cross-sections


def cross_sections(num_firms, sizes, peers):
    """Draws of X_T from X_0 = 50, by every kernel, and its exact law."""
    T, x_init = sizes.num_periods, 50.0
    exact_law = partial(ss_exact.marginal, PARAMS, x_init, T)
    first_s, law = record.seconds(exact_law)

    X = jnp.full(num_firms, x_init)

    def draw(kernel, seed):
        return partial(kernel, PARAMS, X, T, key=jax.random.key(seed))

    contenders = {
        "default (blocks of draws)": partial(
            draw(ss.cross_section, 0), num_firms=num_firms
        ),
        "(a) Python loop": draw(ss.cross_section_loop, 1),
        "(b) compiled loop": draw(ss.cross_section_compiled, 2),
        "(c) all draws first": draw(ss.cross_section_vectorized, 3),
        "NumPy": partial(cross_section_numpy, PARAMS, x_init, T, 4, num_firms),
    }
    if has_generator(PHILOX):
        contenders["default, with Philox keys"] = partial(
            ss.cross_section, PARAMS, X, T,
            key=jax.random.key(6, impl=PHILOX), num_firms=num_firms,
        )  # fmt: skip
    if "numba" in peers:
        numbers = map(np.float32, (*PARAMS, x_init))
        contenders["Numba, parallel"] = partial(
            peers["numba"].cross_section, *numbers, T, num_firms, 5
        )
    contenders["exact law"] = exact_law

    def check(name, result):
        if name == "exact law":
            return {"error": result.error}
        return follows(law, result)

    results = record.side_by_side(contenders, check, sizes.rounds)
    results[-1]["first_s"] = (
        first_s  # that of the law which the others were checked against
    )
    return results


def cross_section_numpy(params, x_init, num_periods, seed, num_firms):
    """The cross-section in plain NumPy: float32, no array made inside the loop but a mask."""
    s, S, μ, σ = map(np.float32, params)
    rng = np.random.default_rng(seed)
    X = np.full(num_firms, x_init, np.float32)
    D = np.empty_like(X)
    for _ in range(num_periods):
        rng.standard_normal(out=D, dtype=np.float32)
        D *= σ
        D += μ
        np.exp(D, out=D)
        X[X <= s] = S
        X -= D
        np.maximum(X, 0, out=X)
    return X


def follows(law, sample):
    """Raise unless a sample agrees with an exact law; return by how much it does."""
    sample = np.asarray(sample, dtype=float)
    standard_errors = (sample.mean() - law.mean) / (law.std / np.sqrt(sample.size))
    # The law's atom at zero, some 1e-4, makes the test a little too lenient, not too strict.
    p_value = stats.kstest(sample[:20_000], law.cdf).pvalue
    if abs(standard_errors) > 4 or p_value < 6e-5:  # both: four standard errors
        raise AssertionError(
            f"the sample's mean is {standard_errors:.1f} standard errors off the exact one; "
            f"Kolmogorov–Smirnov p = {p_value:.1g}"
        )
    return {
        "mean_in_standard_errors": float(standard_errors),
        "ks_p_value": float(p_value),
    }


# ----------------------------------------------------------- distribution dynamics


def distribution_dynamics(sizes):
    """Cross-sections at several dates: one compiled pass against a Python loop."""
    x_init, num_firms, dates = 50.0, sizes.dynamics_firms, sizes.dates
    laws = ss_exact.marginals(PARAMS, x_init, dates)

    def compiled(seed):
        return ss.distribution_dynamics(
            PARAMS, x_init, dates, key=jax.random.key(seed), num_firms=num_firms
        )

    def loop(seed):
        key = jax.random.key(seed)
        X = jnp.full(num_firms, x_init)
        sections = []
        for t in range(dates[-1]):
            X = ss.one_period(PARAMS, X, key, t)
            if t + 1 in dates:
                sections.append(X)
        return jnp.stack(sections)

    def check(_, sections):
        return [follows(law, X) for law, X in zip(laws, sections, strict=True)]

    contenders = {"default": partial(compiled, 6), "Python loop": partial(loop, 7)}
    return record.side_by_side(contenders, check, sizes.rounds)


# --------------------------------------------------------------- restock frequency


def restock_frequency(sizes):
    """Share of firms that restock twice or more: one compiled pass against a Python loop."""
    x_init, T, num_firms = 70.0, sizes.restock_periods, sizes.restock_firms
    exact = ss_exact.restock_pmf(PARAMS, x_init, T)[2:].sum()

    def compiled(seed):
        key = jax.random.key(seed)
        return ss.restock_frequency(PARAMS, x_init, T, key=key, num_firms=num_firms)

    def loop(seed):
        key = jax.random.key(seed)
        X, counts = jnp.full(num_firms, x_init), jnp.zeros(num_firms, int)
        for t in range(T):
            X, counts = count_and_move(PARAMS, X, counts, key, t)
        share = (counts >= 2).mean()
        return ss.RestockFrequency(share, jnp.sqrt(share * (1 - share) / num_firms))

    def check(_, estimate):
        standard_error = np.sqrt(exact * (1 - exact) / num_firms)
        if abs(float(estimate.value) - exact) > 4 * standard_error:
            raise AssertionError(f"the share is {estimate.value}, not {exact}")
        return {"share": float(estimate.value), "exact": float(exact)}

    contenders = {"default": partial(compiled, 8), "Python loop": partial(loop, 9)}
    return record.side_by_side(contenders, check, sizes.rounds)


@jax.jit
def count_and_move(params, X, counts, key, t):
    """One period: count the firms that restock, and move all of them."""
    counts = counts + jnp.where(X <= params.s, 1, 0)
    return ss.one_period(params, X, key, t), counts


# --------------------------------------------------------------- the floor below


def machine_rates(sizes):
    """Normal numbers, and words of random bits, a second: as many as a cross-section takes.

    They are drawn in the package's own blocks, so that they stay in the cache as its do, and no
    more is done with them than that no compiler can leave them out.
    """
    n, T = sizes.num_firms[0], sizes.num_periods
    block = ss.choose_block(n, T).size
    draws = n * block * -(-T // block)

    @partial(jax.jit, static_argnames="draw")
    def drawn(key, draw):
        def one_block(i, most):
            return jnp.maximum(most, draw(jax.random.fold_in(key, i), (block, n)).max())

        first = draw(jax.random.fold_in(key, draws), (1,))[0]
        return jax.lax.fori_loop(0, draws // (block * n), one_block, first)

    contenders = {
        "normals": lambda: drawn(jax.random.key(10), jax.random.normal),
        "bits": lambda: drawn(jax.random.key(11), jax.random.bits),
        # The kernel among them, so that whatever slows one slows all.
        "default": partial(
            ss.cross_section, PARAMS, 50.0, T, key=jax.random.key(12), num_firms=n
        ),
    }
    normals, bits, default = record.side_by_side(
        contenders, lambda *_: {}, sizes.rounds
    )
    return {
        "draws": draws,
        "normals_s": normals["median_s"],
        "bits_s": bits["median_s"],
        "default_s": default["median_s"],
        "normals_per_s": draws / normals["median_s"],
        "bits_per_s": draws / bits["median_s"],
        "share_of_the_default": normals["median_s"] / default["median_s"],
    }


def distances_to_the_floor(tables, sizes, rates):
    """How far the first line of each table is from the time for its random numbers alone."""
    firms = [*sizes.num_firms, sizes.dynamics_firms, sizes.restock_firms]
    periods = [sizes.num_periods] * len(sizes.num_firms)
    periods += [sizes.dates[-1], sizes.restock_periods]
    distances = {}
    for title, n, T in zip(tables, firms, periods, strict=True):
        floor_s = n * T / rates["normals_per_s"]
        distances[title] = {
            "draws": n * T,
            "draws_s": floor_s,
            "times_floor": tables[title][0]["median_s"] / floor_s,
        }
    return distances
