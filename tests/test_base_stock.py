"""Base stock: exact optimum by brute force, simulation within its standard error."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lectures_helpers import demand
from lectures_helpers.classical import base_stock
from lectures_helpers.classical.base_stock import Run

PARAMS = base_stock.create_parameters(unit_cost=1.0)  # as the source
KEY = jax.random.key(9)
LONG = Run(num_replications=150, num_demands=1000, warmup=200)


# ------------------------------------------------------------------- exact


def test_facts_at_the_demos_parameters():
    """The optimum and the price of the textbook's formula, by direct summation."""

    def cost(R):
        n = np.arange(200)
        p = stats.poisson.pmf(n, 10)
        return 1 + (180 * np.maximum(R - n, 0) + 300 * np.maximum(n - R, 0)) @ p / 120

    costs = np.array([cost(R) for R in range(40)])
    assert base_stock.optimal_level(PARAMS) == costs.argmin() == 11
    np.testing.assert_allclose(base_stock.exact(PARAMS, 11).costs.total, costs[11])
    formula = base_stock.approximate_level(PARAMS)
    np.testing.assert_allclose(formula, -10 * np.log(1 - 300 / 480), rtol=1e-12)
    assert (costs[11].round(4), costs[10].round(4)) == (5.8366, 6.0044)


@pytest.mark.parametrize("interarrival", ["poisson", "gamma", "uniform"])
def test_optimal_level_by_brute_force(interarrival):
    rng = np.random.default_rng(3)
    for _ in range(10):
        params = base_stock.create_parameters(
            unit_cost=1.0,
            demand_rate=rng.uniform(0.5, 40),
            holding_cost=rng.uniform(0.1, 10),
            backorder_cost=rng.uniform(0, 60),
            lead_time=rng.uniform(0.05, 1.0),
        )
        law = {
            "poisson": None,
            "gamma": demand.create_distribution("gamma", None, rng.uniform(0.1, 3)),
            "uniform": demand.create_distribution("uniform", None, rng.uniform(0.1, 1)),
        }[interarrival]
        best = base_stock.optimal_level(params, law)
        costs = base_stock.exact(params, np.arange(best + 60), law).costs.total
        assert costs[best] <= costs.min() * (1 + 1e-12)
        if best > 0:
            assert costs[best] < costs[best - 1]


def test_the_surprise_is_the_formulas():
    scvs = np.arange(1, 21) / 10
    laws = [demand.create_distribution("gamma", None, float(scv)) for scv in scvs]
    exact = [base_stock.optimal_level(PARAMS, law) for law in laws]
    formula = [base_stock.approximate_level(PARAMS, "gamma", float(s)) for s in scvs]
    assert set(exact) == {10, 11}
    assert np.round(formula[0]) == 11
    assert np.round(formula[-1]) == 8
    assert np.diff(formula[1:]).max() < 0  # from SCV 0.2 on it falls


def test_deterministic_demand():
    """Ten demands per lead time, one every 1/120 year: the tenth unit comes just in time."""
    law = demand.create_distribution("deterministic", None)
    got = base_stock.exact(PARAMS, np.array([9, 10, 11]), law)
    np.testing.assert_array_equal(got.fill_rate, [0, 1, 1])
    np.testing.assert_allclose(got.mean_on_hand, [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(got.mean_backorders, [1, 0, 0], atol=1e-12)
    assert base_stock.optimal_level(PARAMS, law) == 10


def test_free_backorders_and_shapes():
    free = base_stock.create_parameters(backorder_cost=0.0)
    assert base_stock.optimal_level(free) == 0
    one = base_stock.exact(PARAMS, 3)
    many = base_stock.exact(PARAMS, [3, 4])
    assert one.fill_rate.shape == ()
    assert many.fill_rate.shape == (2,)
    assert one.fill_rate == many.fill_rate[0]
    assert one.standard_error is None
    for a, b in zip(one.annual, one.costs, strict=True):
        np.testing.assert_allclose(a, 120 * b, rtol=1e-13)


# --------------------------------------------------------------- simulation


def _within_four_errors(got, expected, *, count):
    """Every estimate; `count` of them at once, so the bound is that of their number."""
    bound = stats.norm.isf(stats.norm.sf(4) / count)
    for name in ("fill_rate", "ready_rate", "mean_on_hand", "mean_backorders"):
        error = np.asarray(getattr(got.standard_error, name))
        gap = np.asarray(getattr(got, name)).mean(-1) - getattr(expected, name)
        assert (np.abs(gap) < bound * error + 1e-6).all(), name
    for yearly in ("costs", "annual"):
        for part in ("total", "holding", "backorder"):
            error = np.asarray(getattr(getattr(got.standard_error, yearly), part))
            mean = np.asarray(getattr(getattr(got, yearly), part)).mean(-1)
            gap = mean - getattr(getattr(expected, yearly), part)
            # 32-bit dates: right to 1e-5 of the lead time or so
            assert (np.abs(gap) < bound * error + 1e-4 * mean + 1e-6).all(), part
    size = min(got.backorder_pmf.shape[-1] - 1, expected.backorder_pmf.shape[-1])
    pmf = np.asarray(got.backorder_pmf).mean(-2)[..., :size]
    error = np.asarray(got.standard_error.backorder_pmf)[..., :size]
    gap = np.abs(pmf - expected.backorder_pmf[..., :size])
    assert (gap < bound * error + 1e-4).all()


LEADS = {
    "deterministic": None,
    "gamma": demand.create_distribution("gamma", None, 1.5),
    "uniform": demand.create_distribution("uniform", None, 0.3),
}


@pytest.mark.parametrize("lead", LEADS)
def test_poisson_demand_within_four_errors(lead):
    """Palm: one exact result for every law of the lead times with the same mean."""
    levels = np.array([0, 5, 11, 16])
    got = base_stock.simulate(PARAMS, None, LEADS[lead], levels, key=KEY, run=LONG)
    _within_four_errors(got, base_stock.exact(PARAMS, levels), count=4)


@pytest.mark.parametrize(
    ("family", "scv"), [("gamma", 0.3), ("lognormal", 2.0), ("normal", 0.5)]
)
def test_renewal_demand_within_four_errors(family, scv):
    levels = np.array([6, 11, 14])
    law = demand.create_distribution(family, None, scv)
    got = base_stock.simulate(PARAMS, law, None, levels, key=KEY, run=LONG)
    _within_four_errors(got, base_stock.exact(PARAMS, levels, law), count=3)


def test_a_run_that_starts_with_full_shelves_is_lucky():
    n, R = 40, 11
    got = base_stock.simulate(PARAMS, None, None, R, key=KEY, run=Run(4000, n))
    f = base_stock.exact(PARAMS, R).fill_rate
    expected = (R + (n - R) * f) / n
    assert abs(got.fill_rate.mean() - expected) < 4 * got.standard_error.fill_rate
    assert expected - f > 20 * got.standard_error.fill_rate  # the bias is seen


def test_palm_fails_for_other_demand():
    law = demand.create_distribution("gamma", None, 0.3)
    leads = [None, demand.create_distribution("gamma", None, 1.5)]
    rates = [
        base_stock.simulate(PARAMS, law, lead, 11, key=KEY, run=LONG) for lead in leads
    ]
    gap = abs(rates[0].fill_rate.mean() - rates[1].fill_rate.mean())
    errors = [rate.standard_error.fill_rate for rate in rates]
    assert gap > 10 * np.hypot(*errors)


def test_littles_law_on_a_long_run():
    got = base_stock.simulate(
        PARAMS, None, LEADS["gamma"], 11, key=KEY, run=Run(20, 3000)
    )
    # What is held or waits at the two ends of a run is all that the two may differ by.
    edges = 60 / 3000
    rate = 120.0
    for money, price, level in (
        (got.annual.holding, 180, got.mean_on_hand),
        (got.annual.backorder, 300, got.mean_backorders),
    ):
        np.testing.assert_allclose(money / price, level, rtol=0, atol=edges * rate / 12)


def test_one_level_at_a_time_is_the_same():
    levels = [5, 11, 20]
    together = base_stock.simulate(PARAMS, None, None, levels, key=KEY)
    for i, level in enumerate(levels):
        alone = base_stock.simulate(PARAMS, None, None, level, key=KEY)
        for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
            # Two programs may add 2,400 numbers up in different orders: 1e-5 in 32 bits.
            np.testing.assert_allclose(a, b[i], rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(alone.fill_rate, together.fill_rate[i])


def test_sweeps_are_one_call():
    """vmap over the SCV of demand, over the mean lead time, and over the level with it."""
    arguments = dict(key=KEY, run=Run(3, 300))

    def fill(scv, level):
        law = demand.create_distribution("gamma", None, scv)
        return base_stock.simulate(PARAMS, law, None, level, **arguments).fill_rate

    scvs, levels = jnp.array([0.5, 1.5]), jnp.array([11, 9])
    together = jax.vmap(fill)(scvs, levels)
    for row, scv, level in zip(together, scvs, levels, strict=True):
        np.testing.assert_allclose(row, fill(float(scv), int(level)), atol=2 / 300)

    def wait(lead_time):
        params = PARAMS._replace(lead_time=lead_time)
        return base_stock.simulate(params, None, None, 11, **arguments).costs.backorder

    leads = jnp.array([0.05, 0.1])
    for row, L in zip(jax.vmap(wait)(leads), leads, strict=True):
        np.testing.assert_allclose(row, wait(float(L)), rtol=1e-4)


def test_same_key_same_numbers():
    a, b = (base_stock.simulate(PARAMS, None, None, 11, key=KEY) for _ in range(2))
    np.testing.assert_array_equal(a.costs.total, b.costs.total)
    other = base_stock.simulate(PARAMS, None, None, 11, key=jax.random.key(1))
    assert not np.allclose(a.costs.total, other.costs.total)
    assert a.costs.total.shape == (10,)
    assert a.backorder_pmf.shape == (10, 21)
    np.testing.assert_allclose(a.backorder_pmf.sum(-1), 1, atol=1e-5)


def test_each_replication_may_have_its_own_length():
    lengths = [300, 500, 400]
    together = base_stock.simulate(PARAMS, None, None, 11, key=KEY, run=Run(3, lengths))
    for i, n in enumerate(lengths):
        same = base_stock.simulate(PARAMS, None, None, 11, key=KEY, run=Run(3, n))
        np.testing.assert_array_equal(together.fill_rate[i], same.fill_rate[i])
        # Arrays of another length are summed in another order: 32 bits.
        np.testing.assert_allclose(together.costs.total[i], same.costs.total[i], 1e-5)


def test_gradients():
    """Infinitesimal perturbation analysis: against differences on the same numbers, and exactly."""

    def cost(L, D):
        params = PARAMS._replace(demand_rate=D, lead_time=L)
        return base_stock.simulate(
            params, None, None, 11,
            key=KEY, run=Run(400, 1000, warmup=50),
        ).costs.total  # fmt: skip

    # One derivative for each replication, so that their mean has a standard error.
    by_lead, by_rate = jax.jacfwd(cost, argnums=(0, 1))(1 / 12, 120.0)
    h, k = 1e-4, 0.12

    def difference(at, step):
        up, down = (cost(*(np.array(at) + s * np.array(step))) for s in (0.5, -0.5))
        return (up - down).mean() / sum(step)

    # The cost has a kink wherever a unit is just in time; a step crosses a few of them.
    at = 1 / 12, 120.0
    np.testing.assert_allclose(
        by_lead.mean(), difference(at, (h, 0)), rtol=0.02, atol=0.3
    )
    np.testing.assert_allclose(by_rate.mean(), difference(at, (0, k)), rtol=0.02)

    # Exactly: dC/dL = B P(a customer waits) - H P(filled).
    fill = base_stock.exact(PARAMS, 11).fill_rate
    exact = 300 * (1 - fill) - 180 * fill
    assert abs(by_lead.mean() - exact) < 4 * by_lead.std(ddof=1) / 20
    step = 1e-3
    up, down = (
        base_stock.exact(PARAMS._replace(demand_rate=120 + s), 11).costs.total
        for s in (step, -step)
    )
    exact = (up - down) / (2 * step)
    assert abs(by_rate.mean() - exact) < 4 * by_rate.std(ddof=1) / 20

    def fill_rate(L):
        params = base_stock.create_parameters(lead_time=L)
        return base_stock.simulate(
            params, None, None, 11, key=KEY, run=Run(num_demands=1000)
        ).fill_rate.mean()

    assert jax.grad(fill_rate)(1 / 12) == 0  # a count does not see small changes


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(demand_rate=-1.0), "demand_rate must be > 0, got -1"),
        (dict(lead_time=0.0), "lead_time must be > 0, got 0"),
        (dict(holding_cost=float("nan")), "holding_cost must be finite, got nan"),
        (dict(backorder_cost=-3.0), "backorder_cost must be >= 0, got -3"),
        (dict(lead_time=[0.1, 0.2]), "lead_time must be one number"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        base_stock.create_parameters(**arguments)


def test_bad_input():
    for level, message in [
        (-1, "level must be an integer >= 0, got -1"),
        (1.5, r"level must be an integer >= 0, got 1\.5"),
        ([3, -2], "level must be an integer >= 0, got -2"),
        ("11", "level must be an integer >= 0, got '11'"),
    ]:
        with pytest.raises(ValueError, match=message):
            base_stock.exact(PARAMS, level)
    with pytest.raises(ValueError, match="holding_cost must be > 0, got 0"):
        base_stock.optimal_level(base_stock.create_parameters(holding_cost=0.0))
    with pytest.raises(ValueError, match="family must be one of"):
        base_stock.approximate_level(PARAMS, "no-such-family")
    with pytest.raises(ValueError, match="family must be one of"):
        base_stock.approximate_level(PARAMS, np.array(["gamma", "exponential"]))
    with pytest.raises(ValueError, match="params must come from create_parameters"):
        base_stock.exact((120.0,), 11)
    with pytest.raises(ValueError, match="num_demands must hold numbers"):
        jax.jit(
            lambda n: base_stock.simulate(
                PARAMS, None, None, 11, key=KEY, run=Run(num_demands=n)
            )
        )(500)
    with pytest.raises(ValueError, match="lead_time must come from demand"):
        base_stock.simulate(PARAMS, None, 1 / 12, 11, key=KEY)
    with pytest.raises(ValueError, match="levels must be integers"):
        jax.jit(lambda R: base_stock.simulate(PARAMS, None, None, R, key=KEY))(11.0)
    with pytest.raises(ValueError, match="max_backorders must be an integer >= 0"):
        base_stock.simulate(PARAMS, None, None, 11, key=KEY, run=Run(max_backorders=-1))


# ------------------------------------------------------- what a reviewer broke


def test_orders_that_cross_over_a_long_lead_time():
    """The unit of a late demand may be one that is ordered after the run; Little's law tells."""
    params = base_stock.create_parameters(lead_time=3.0)  # 360 demands on order
    lead = demand.create_distribution("exponential", None)
    got = base_stock.simulate(
        params,
        None,
        lead,
        300,
        key=KEY,
        run=Run(100, 500, warmup=2500),
    )
    exact = base_stock.exact(params, 300)
    error = got.standard_error.costs.backorder
    assert abs(got.costs.backorder.mean() - exact.costs.backorder) < 4 * error

    # Where JAX traces the mean lead time, too few later orders are known: that is said.
    @jax.jit
    def costs(L):
        slow = params._replace(lead_time=L)
        run = base_stock.simulate(slow, None, lead, 0, key=KEY, run=Run(3, 500))
        return run.costs

    short = costs(3.0)
    assert np.isnan(np.asarray(short.backorder)).all()
    assert np.isfinite(np.asarray(short.holding)).all()


def test_units_that_come_just_in_time():
    law = demand.create_distribution("deterministic", None)
    for rate, lead_time, level in (
        (120.0, 1 / 12, 10),
        (120.0, 0.25, 30),
        (7.0, 3.0, 21),
    ):
        params = base_stock.create_parameters(demand_rate=rate, lead_time=lead_time)
        arguments = dict(key=KEY, run=Run(2, 2000, warmup=200))
        for R, fill in ((level - 1, 0.0), (level, 1.0)):
            got = base_stock.simulate(params, law, None, R, **arguments)
            np.testing.assert_array_equal(got.fill_rate, fill)
            assert base_stock.exact(params, R, law).fill_rate == fill


@pytest.mark.parametrize("family", ["triangular", "gamma", "normal"])
def test_same_demands_for_every_policy_and_length(family):
    law = demand.create_distribution(family, 1.0, 0.3)
    draws = [demand.sample(law, size, key=jax.random.clone(KEY)) for size in (50, 80)]
    np.testing.assert_array_equal(draws[0], draws[1][:50])


def test_long_lead_times_stay_exact():
    """E (N - n)⁺ for a mean of a million, against the normal law that it then follows."""
    params = base_stock.create_parameters(demand_rate=1e6, lead_time=1.0)
    got = base_stock.exact(params, 10**6)
    # Mean absolute deviation of a Poisson law at its mean n: 2 e^{-n} n^{n+1} / n!.
    n = 10.0**6
    log = -n + (n + 1) * np.log(n) - float(np.sum(np.log(np.arange(1, 10**6 + 1))))
    np.testing.assert_allclose(got.mean_backorders, np.exp(log), rtol=1e-6)
    law = demand.create_distribution("gamma", None, 0.5)
    many = base_stock.create_parameters(demand_rate=1e4, lead_time=0.9)
    got = base_stock.exact(many, [5000, 9000, 9500], law)
    assert (got.backorder_pmf >= 0).all()
    with pytest.raises(ValueError, match=r"lead_time \* demand_rate must be <= 10000"):
        base_stock.exact(params, 10**6, law)
    with pytest.raises(
        ValueError, match=r"50 laws of up to 1,0.*numbers that are kept"
    ):
        base_stock.exact(params, np.arange(50))
    with pytest.raises(ValueError, match=r"lead_time \* demand_rate must be <= 1e\+07"):
        base_stock.exact(params._replace(lead_time=20.0), 10**6)


def test_limits_are_said():
    with pytest.raises(ValueError, match=r"num_demands .* 100,000 demands in float32"):
        base_stock.simulate(
            PARAMS, None, None, 11, key=KEY, run=Run(num_demands=200_000)
        )
    with pytest.raises(ValueError, match="backorder_cost must be <= 1e10"):
        base_stock.optimal_level(PARAMS._replace(holding_cost=1e-10))


def test_runs_that_fit_nowhere_are_refused():
    for run, levels, message in [
        (Run(10**6, 2000), 11, "1,000,000 × 2,000 demands are more than"),
        (Run(10**5, 2), np.arange(2000), "2,000 × 4,000,000 results are more"),
        (Run(3, [5, True, 5]), 11, "num_demands must be an integer >= 1, got True"),
    ]:
        with pytest.raises(ValueError, match=message):
            base_stock.simulate(PARAMS, None, None, levels, key=KEY, run=run)
    for name, value in (("demand_rate", 1e-40), ("lead_time", 1e20)):
        with pytest.raises(ValueError, match=f"{name} must lie between 1e-09 and 1e"):
            base_stock.create_parameters(**{name: value})


def test_many_replications_go_in_turns(monkeypatch):
    """The same numbers, some replications at a time."""
    run = Run(7, 300)
    law = demand.create_distribution("exponential", None)
    together = base_stock.simulate(PARAMS, law, law, [3, 11], key=KEY, run=run)
    monkeypatch.setattr(base_stock.matching, "AT_ONCE", 1500)
    jax.clear_caches()  # compiled for all at once
    turns = base_stock.simulate(PARAMS, law, law, [3, 11], key=KEY, run=run)
    for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(turns), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_exact_results_are_in_64_bits_whatever_the_parameters():
    params = base_stock.create_parameters(
        unit_cost=1.0,
        holding_cost=jnp.array(180.0),
        backorder_cost=np.float32(300),
    )
    got = base_stock.exact(params, [10, 11])
    assert got.costs.total.dtype == np.float64
    np.testing.assert_allclose(
        got.costs.total, base_stock.exact(PARAMS, [10, 11]).costs.total
    )
    with pytest.raises(ValueError, match="holding_cost must be a number here"):
        jax.jit(lambda H: base_stock.optimal_level(PARAMS._replace(holding_cost=H)))(
            180.0
        )
    with pytest.raises(ValueError, match="holding_cost must be finite, got nan"):
        base_stock.exact(PARAMS._replace(holding_cost=float("nan")), 3)
    with pytest.raises(ValueError, match="demand_rate must be > 0, got -5"):
        base_stock.simulate(PARAMS._replace(demand_rate=-5.0), None, None, 3, key=KEY)


def test_laws_put_together_by_hand_are_checked():
    for law, message in [
        (demand.Distribution("foo", 1.0, 1.0), "family must be one of"),
        (demand.Distribution("gamma", None, -1.0), "scv must be > 0, got -1"),
        (demand.Distribution("gamma", None, np.array([0.1, 0.2])), "must have one scv"),
    ]:
        with pytest.raises(ValueError, match=message):
            base_stock.exact(PARAMS, 11, law)
        with pytest.raises(ValueError, match=message):
            base_stock.simulate(PARAMS, law, None, 11, key=KEY)
    nearly_even = demand.create_distribution("uniform", None, 1e-12)
    with pytest.raises(ValueError, match="interarrival must be more variable"):
        base_stock.optimal_level(PARAMS, nearly_even)


def test_the_formula_takes_its_familys_own_scv():
    assert base_stock.approximate_level(PARAMS, "deterministic") == 10.0
    exponential = base_stock.approximate_level(PARAMS, "exponential")
    np.testing.assert_allclose(exponential, base_stock.approximate_level(PARAMS))
    with pytest.raises(ValueError, match="holding_cost must be > 0, got 0"):
        base_stock.approximate_level(PARAMS._replace(holding_cost=0.0))
