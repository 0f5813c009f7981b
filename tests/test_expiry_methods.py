"""A stock that expires: four methods against trying everything, unit by unit.

Every shape of a model compiles once for each method; models of one shape share that.
"""

import functools
import warnings

import expiry_oracle as oracle
import jax
import numpy as np
import pytest

from lectures_helpers import expiry
from lectures_helpers.expiry import periods, tensor
from lectures_helpers.precision import enable_x64

METHODS = ["exhaustive", "top_down", "threshold", "tensor"]
PRICES = ("salvage", "holding_cost", "unit_cost", "price", "disposal_cost", "discount")
each_method = pytest.mark.parametrize("method", METHODS)

# (m, k, d_max): (m + 1) (k - 1) units fill every shelf, and a large order comes on top.
SHAPES = [(1, 5, 40), (2, 4, 21), (3, 3, 14), (4, 2, 9), (2, 5, 3)]
MODELS = 20  # of each shape

# Sums of at most 50 products of numbers below 100, over three periods: 1e-12 in float64.
EXACT = 1e-9


def model_of(shop, *, constant=False):
    """The package's model; `constant` gives one law for all periods."""
    pmf = shop.pmf[0] if constant else shop.pmf
    return expiry.create_model(
        shop.m, shop.k, pmf, **dict(zip(PRICES, shop[3:], strict=True))
    )


def random_pmf(rng, size):
    """Laws of all kinds: one demand alone, few, many, equal shares (exact in binary)."""
    kind = rng.integers(5)
    if kind == 0:
        return np.eye(size)[rng.integers(size)]
    if kind == 1:
        return np.eye(size)[0]  # no demand, ever
    if kind == 2:
        pmf = np.zeros(size)
        np.add.at(pmf, rng.integers(size, size=4), 0.25)
        return pmf
    few = min(size, 2 + int(rng.integers(4)))
    if kind == 3:
        return np.append(rng.dirichlet(np.ones(few)), np.zeros(size - few))
    return rng.dirichlet(np.full(size, 0.5))


def sensible_prices(rng):
    """0 <= h, 0 <= c <= r, s <= c, s + θ >= 0; integers, and nothing at all, are likely."""
    whole = rng.random() < 0.5
    draw = (lambda a, b: float(rng.integers(a, b + 1))) if whole else rng.uniform
    if rng.random() < 0.1:
        return dict(s=0.0, h=0.0, c=0.0, r=0.0, θ=0.0)
    r = draw(0, 10)
    c = draw(0, int(r))
    s = min(draw(-2, 4), c)
    return dict(s=s, h=draw(0, 2), c=c, r=r, θ=-s + draw(0, 4))


def structured_prices(rng):
    """h >= 0, r >= 0, s + θ >= 0, and nothing else: all that tree and thresholds ask for.

    So salvage may exceed cost and price, and an order may earn money.
    """
    s, c = rng.uniform(-6, 6, 2)
    h, r, θ = rng.uniform(0, 5, 3)
    prices = dict(s=s, h=h, c=c, r=r, θ=θ - s)
    if rng.random() < 0.5:
        prices = {name: float(round(price)) for name, price in prices.items()}
        prices["θ"] = max(prices["θ"], -prices["s"])
    return prices


def absurd_prices(rng):
    """Anything: costs that are earned, sales that cost, salvage above the price."""
    if rng.random() < 0.2:
        return dict(zip("shcrθ", -rng.integers(1, 6, 5).astype(float), strict=True))
    if rng.random() < 0.5:
        return dict(zip("shcrθ", rng.integers(-5, 6, 5).astype(float), strict=True))
    return dict(zip("shcrθ", rng.uniform(-6, 6, 5), strict=True))


def random_case(rng, shape, prices):
    """A shop, its number of periods, and whether one law serves all of them."""
    m, k, d_max = shape
    T = int(rng.integers(4))
    constant = T == 0 or rng.random() < 0.5
    laws = [random_pmf(rng, d_max + 1) for _ in range(1 if constant else T)]
    pmf = np.stack(laws * T if constant and T else laws)
    α = float(rng.choice([1.0, 0.5, rng.uniform(0.05, 1)]))
    return oracle.Shop(m, k, pmf, α=α, **prices(rng)), T, constant


@functools.cache
def cases(prices, shape):
    """Models and what the oracle says of them, the same for each method."""
    rng = np.random.default_rng([3, *shape])
    drawn = [random_case(rng, shape, prices) for _ in range(MODELS)]
    return [(*case, oracle.solve(*case[:2])) for case in drawn]


def compare(shop, T, constant, best, method):
    """Values and every period's decisions, ties included."""
    got = expiry.solve(
        model_of(shop, constant=constant),
        T,
        method=method,
        dtype="float64",
        keep_policies=True,
    )
    told = f"{method}, T = {T}: {shop}"
    scale = max(1.0, np.abs(best.values).max())
    np.testing.assert_allclose(
        got.values, best.values[0], rtol=0, atol=EXACT * scale, err_msg=told
    )
    np.testing.assert_array_equal(got.depletions, best.depletion, err_msg=told)
    np.testing.assert_array_equal(got.orders, best.order, err_msg=told)
    if T:
        np.testing.assert_array_equal(got.depletion, best.depletion[0], err_msg=told)
        np.testing.assert_array_equal(got.order, best.order[0], err_msg=told)
        assert max(got.certificate[:2]) < 1e-12 * scale, told
    else:
        assert not np.any(got.depletion)
        assert not np.any(got.order)


@each_method
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_method_equals_trying_everything(shape, method):
    for case in cases(sensible_prices, shape):
        compare(*case, method)


@pytest.mark.parametrize("method", ["exhaustive", "tensor"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_two_methods_are_right_at_absurd_prices_too(shape, method):
    for case in cases(absurd_prices, shape):
        compare(*case, method)


@pytest.mark.parametrize("method", ["top_down", "threshold"])
@pytest.mark.parametrize("shape", [SHAPES[1], SHAPES[2]], ids=str)
def test_the_structure_holds_at_more_than_sensible_prices(shape, method):
    for case in cases(structured_prices, shape):
        compare(*case, method)


@each_method
def test_a_law_with_one_entry(method):
    """d_max = 0: no customer, and no room for one in any table."""
    rng = np.random.default_rng(8)
    for _ in range(5):
        shop = oracle.Shop(2, 3, np.ones((3, 1)), α=0.75, **sensible_prices(rng))
        compare(shop, 3, True, oracle.solve(shop, 3), method)


@each_method
def test_demand_far_beyond_the_shelf_is_as_good_as_what_empties_it(method):
    """Two shops that no stock of theirs can tell apart: (m + 1) (k - 1) = 9 units at most."""
    near = np.array([0.25, 0, 0.25, 0, 0, 0, 0, 0, 0, 0.5])
    far = np.zeros(3000)
    far[[0, 2, 9, 50, 2999]] = 0.25, 0.25, 0.125, 0.125, 0.25
    prices = dict(
        salvage=1, holding_cost=0.5, unit_cost=2, price=5, disposal_cost=1, discount=1
    )
    a, b = (
        expiry.solve(
            expiry.create_model(2, 4, pmf, **prices),
            3,
            method=method,
            dtype="float64",
            keep_policies=True,
        )
        for pmf in (near, far)
    )
    # The entries above 9 units are added up in another order: rounding of 3,000 numbers.
    np.testing.assert_allclose(a.values, b.values, rtol=1e-12)
    np.testing.assert_array_equal(a.depletions, b.depletions)
    np.testing.assert_array_equal(a.orders, b.orders)


@each_method
def test_without_periods_what_is_there_is_sold_off(method):
    model = expiry.create_model(
        2, 4, np.eye(22)[3],
        salvage=-2.5, holding_cost=1, unit_cost=1, price=1, disposal_cost=1, discount=0.5,
    )  # fmt: skip
    got = expiry.solve(model, 0, method=method, dtype="float64", keep_policies=True)
    np.testing.assert_array_equal(got.values, -2.5 * np.indices((4, 4)).sum(0))
    assert got.depletions.shape == got.orders.shape == (0, 4, 4)


def test_ties_between_all_decisions_go_to_nothing():
    """Nothing costs, nothing earns: every (z, q) is best, and (0, 0) is returned."""
    free = dict.fromkeys(PRICES[:5], 0) | {"discount": 1}
    model = expiry.create_model(2, 4, np.full(22, 1 / 22), **free)
    for method in METHODS:
        got = expiry.solve(model, 3, method=method, dtype="float64", keep_policies=True)
        assert not np.any(got.values)
        assert not np.any(got.depletions)
        assert not np.any(got.orders)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tie_that_rounding_hides_goes_to_keeping(dtype):
    """A unit beyond the one that sells is sold off for what it would cost to keep it.

    So every depletion that leaves what sells is best: none is the least of them. In three
    decimals of a price few sums are exact, and more than one stock rounds either way.
    """
    rounds_down = 0
    for holding, disposal in ((0.1, 0.9), (0.3, 1.1), (0.7, 1.3)):
        model = expiry.create_model(
            1, 40, [0.0, 1.0], salvage=-holding - 0.9 * disposal, holding_cost=holding,
            unit_cost=9.0, price=5.0, disposal_cost=disposal, discount=0.9,
        )  # fmt: skip
        x = np.arange(40)
        # Kept: one sells, and what is left over expires; its cost as the solver adds it up.
        kept = 0.9 * (5.0 * np.minimum(x, 1) - disposal * np.maximum(x - 1, 0))
        kept = (kept - holding * x).astype(dtype)
        rounds_down += np.sum(kept[2:] < kept[1:-1] + np.asarray(model.salvage, dtype))
        for method in METHODS:
            got = expiry.solve(model, 1, method=method, dtype=dtype, keep_policies=True)
            np.testing.assert_array_equal(got.depletion, np.zeros(40))
            np.testing.assert_array_equal(got.order, np.zeros(40))
    assert rounds_down > 9


def test_one_unit_by_hand():
    """m = 1, k = 2, one period, demand 0 or 1: four numbers that fit on a line each.

    A unit kept from stock 1 sells with probability 1/2, else expires: -h + α (r - θ) / 2.
    A unit ordered sells when stock is out, else is left for salvage.
    """
    model = expiry.create_model(
        1, 2, [0.5, 0.5],
        salvage=1, holding_cost=0.25, unit_cost=2, price=6, disposal_cost=3, discount=0.5,
    )  # fmt: skip
    got = expiry.solve(model, 1, dtype="float64", keep_policies=True)
    order_at_nothing = 0.5 * (-2 + 0.5 * 6 + 0.5 * 1)  # 0.75: worth it
    keep = -0.25 + 0.5 * (0.5 * 6 - 0.5 * 3)  # 0.5, nothing ordered
    keep_and_order = keep + 0.5 * (
        -2 + 1 * 1
    )  # the fresh unit waits for salvage: worse
    assert keep_and_order < keep < 1 + order_at_nothing
    np.testing.assert_allclose(got.values, [0.75, 1.75], rtol=1e-15)
    np.testing.assert_array_equal(got.depletion, [0, 1])
    np.testing.assert_array_equal(got.order, [1, 1])


# ------------------------------------------------------------ where the structure fails


COUNTEREXAMPLE = oracle.Shop(
    2, 2, np.ones((1, 1)), s=-3.0, h=1.0, c=1.0, r=1.0, θ=0.0, α=1.0
)


def test_the_counterexample():
    """It is best to pay for taking one unit away from (0, 1), but none from (1, 1)."""
    best = oracle.solve(COUNTEREXAMPLE, 1)
    assert (best.depletion[0][0, 1], best.depletion[0][1, 1]) == (1, 0)
    got = expiry.solve(model_of(COUNTEREXAMPLE), 1, dtype="float64")
    np.testing.assert_array_equal(got.values, best.values[0])
    np.testing.assert_array_equal(got.depletion, best.depletion[0])
    np.testing.assert_array_equal(got.order, best.order[0])
    assert got.certificate[:2] == (0, 0)
    assert got.certificate.num_states == 4


@pytest.mark.parametrize("method", ["top_down", "threshold"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_certificate_reports_what_the_structure_costs(method, dtype):
    """The gap and the regret are what the oracle makes of the returned value and decision."""
    best = oracle.solve(COUNTEREXAMPLE, 1)
    model = model_of(COUNTEREXAMPLE)
    got = expiry.solve(model, 1, method=method, dtype=dtype, keep_policies=True)
    worth = oracle.evaluate(
        COUNTEREXAMPLE,
        np.asarray(got.depletions, int),
        np.asarray(got.orders, int),
        1,
    )
    gap = np.abs(got.values - best.values[0]).max()
    regret = (best.values[0] - worth).max()
    assert gap > 0.1
    np.testing.assert_allclose(got.certificate.gap, gap, rtol=1e-6)
    np.testing.assert_allclose(got.certificate.regret, regret, rtol=1e-6)


def test_a_certificate_of_any_solution_bounds_the_error_of_one_period():
    """Absurd prices: wherever a method is wrong after one period, its certificate says so."""
    rng = np.random.default_rng(5)
    failures = 0
    for _ in range(60):
        shop = oracle.Shop(2, 4, random_pmf(rng, 22)[None], α=1.0, **absurd_prices(rng))
        best = oracle.solve(shop, 1)
        for method in ("top_down", "threshold"):
            got = expiry.solve(model_of(shop), 1, method=method, dtype="float64")
            wrong = np.abs(got.values - best.values[0]).max()
            np.testing.assert_allclose(got.certificate.gap, wrong, atol=1e-12)
            failures += wrong > EXACT
    assert failures > 2  # else this shows nothing


@pytest.mark.parametrize("method", ["top_down", "threshold"])
def test_a_failure_in_a_later_period_is_reported_too(method):
    """Demand 0, then 3: the last period's table is wrong, and so is the first one's.

    In the first period the method does right by the wrong V_1 that it was given; what the
    certificate must say is that V_0 is wrong, by 8.
    """
    shop = oracle.Shop(
        2, 3, np.eye(7)[[0, 3]], s=3.0, h=-5.0, c=-3.0, r=-5.0, θ=3.0, α=1.0
    )
    best = oracle.solve(shop, 2).values[0]
    got = expiry.solve(model_of(shop), 2, method=method, dtype="float64")
    np.testing.assert_allclose(np.abs(got.values - best).max(), 8)
    assert max(got.certificate.gap, got.certificate.regret) > 0.1


# ------------------------------------------------------------------------- precision


BASE = expiry.create_model(
    4, 10, expiry.poisson_pmf(8, 19))  # fmt: skip
WIDE = expiry.create_model(
    4, 24, expiry.poisson_pmf(20, 31),
    salvage=1, holding_cost=1.5, unit_cost=5, price=10, disposal_cost=1, discount=1,
)  # fmt: skip


@pytest.mark.parametrize(("model", "T"), [(BASE, 5), (WIDE, 20)], ids=["base", "wide"])
def test_float32_keeps_five_digits(model, T):
    """Relative to the largest value: 20 periods of sums over some 30 terms round to 1e-6."""
    single = expiry.solve(model, T, dtype="float32")
    double = expiry.solve(model, T, dtype="float64")
    assert single.values.dtype == np.float32
    assert double.values.dtype == np.float64
    scale = np.abs(double.values).max()
    assert np.abs(np.asarray(single.values, float) - double.values).max() < 1e-5 * scale
    assert max(double.certificate[:2]) < 1e-12 * scale
    assert max(single.certificate[:2]) < 1e-5 * scale
    assert single.certificate.num_states <= 64


def lost_in_single_precision(model, T):
    """What the rule of a solve in 32 bits loses, and the bound that its certificate states."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the certificate says the same
        single = expiry.solve(model, T, dtype="float32", keep_policies=True)
    best = expiry.solve(model, T, dtype="float64").values
    worth = expiry.evaluate(model, expiry.optimal_policy(single), T, dtype="float64")
    size = np.abs(best).max()
    assert (worth <= best + 1e-11 * size).all()  # nothing beats the optimum
    return np.max(best - worth), single.certificate.loss, size


def in_money(model, unit):
    """The same shop, its prices in another unit."""
    prices = {name: unit * getattr(model, name) for name in PRICES[:5]}
    return model._replace(**prices)


def random_long_run(rng):
    """A model of any unit of money, finely priced, and up to 2,000 periods."""
    m, k, d_max = SHAPES[rng.integers(len(SHAPES))]
    prices = (sensible_prices, structured_prices)[rng.integers(2)](rng)
    # Whole prices tie; a hair of difference is what single precision may overlook.
    prices = {name: price * (1 + 1e-5 * rng.random()) for name, price in prices.items()}
    prices["θ"] = max(prices["θ"], -prices["s"])
    shop = oracle.Shop(
        m, k, random_pmf(rng, d_max + 1)[None], α=float(rng.choice([1.0, 1.0, 0.99])),
        **prices,
    )  # fmt: skip
    unit = 10.0 ** rng.uniform(-9, 9)
    return in_money(model_of(shop, constant=True), unit), int(10 ** rng.uniform(0, 3.3))


def test_single_precision_loses_no_more_than_its_certificate_says():
    """Random models; 200 of them, from seeds 0 to 9, were tried when this was written."""
    rng = np.random.default_rng(0)
    for _ in range(6):
        model, T = random_long_run(rng)
        lost, bound, size = lost_in_single_precision(model, T)
        assert lost <= bound + 1e-11 * size, (model, T)


MANY_PERIODS = expiry.create_model(
    1, 60, expiry.poisson_pmf(40, 90), salvage=0, holding_cost=0.1, unit_cost=1,
    price=1.5, disposal_cost=0.5, discount=1,
)  # fmt: skip


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_single_precision_over_many_periods_in_any_unit_of_money(unit):
    """Values grow by 18 a period, what decides by nothing: it may not drown in them."""
    model = in_money(MANY_PERIODS, unit)
    single = expiry.solve(model, 2000, dtype="float32")
    double = expiry.solve(MANY_PERIODS, 2000, dtype="float64")
    assert single.order[0] == double.order[0] == 46
    np.testing.assert_allclose(single.values, unit * double.values, rtol=1e-5)
    assert single.certificate.loss < 0.01 * single.values.max()
    lost, bound, size = lost_in_single_precision(model, 200)
    assert lost < 1e-5 * size < bound < 0.01 * size


def test_a_warning_where_single_precision_may_have_decided_wrongly():
    """A shop that buys for what it sells: it earns little beside what moves."""
    thin = expiry.create_model(
        1, 10, np.eye(10)[9],  # nine customers, for sure
        salvage=0, holding_cost=0, unit_cost=3, price=3.001, disposal_cost=0, discount=1,
    )  # fmt: skip
    told = "in float32 the decisions may cost .* over 300 periods"
    with pytest.warns(UserWarning, match=told) as warned:
        found = expiry.solve(thin, 300, dtype="float32")
    assert warned[0].filename == __file__  # where the reader's own call stands
    assert found.certificate.loss > 0.01 * np.abs(found.values).max()
    expiry.solve(thin, 300, dtype="float64")  # here a warning is an error


def test_methods_agree_on_the_base_case():
    """10,000 states, and more demands than levels."""
    T = 2
    tensor = expiry.solve(BASE, T, dtype="float64", keep_policies=True)
    for method in ("top_down", "threshold"):
        got = expiry.solve(BASE, T, method=method, dtype="float64", keep_policies=True)
        np.testing.assert_allclose(got.values, tensor.values, rtol=1e-12)
        np.testing.assert_array_equal(got.depletions, tensor.depletions)
        np.testing.assert_array_equal(got.orders, tensor.orders)


def test_invariances():
    """Money in other units, and a value that is known: no demand, nothing to be had for it."""
    scaled = BASE._replace(**{name: 8 * getattr(BASE, name) for name in PRICES[:5]})
    a, b = (expiry.solve(model, 5, dtype="float64") for model in (BASE, scaled))
    np.testing.assert_allclose(b.values, 8 * a.values, rtol=1e-13)
    np.testing.assert_array_equal(a.depletion, b.depletion)
    np.testing.assert_array_equal(a.order, b.order)
    dead = BASE._replace(demand_pmf=np.eye(20)[0])
    got = expiry.solve(dead, 5, dtype="float64")
    # s now against s later less holding: sell all at once.
    np.testing.assert_allclose(got.values, np.indices((10,) * 4).sum(0), rtol=1e-13)
    np.testing.assert_array_equal(got.depletion, np.indices((10,) * 4).sum(0))
    assert not np.any(got.order)


@pytest.mark.parametrize("decide", [None, "int16"])
@pytest.mark.parametrize(
    "shape", [(1, 6, 20), (2, 5, 9), (3, 4, 30), (4, 6, 5), (3, 17, 9)]
)
def test_the_branch_for_a_gpu_is_the_same_recursion(shape, decide, monkeypatch):
    """Fewer launches, other sums of the same numbers: up to their rounding the same values."""
    m, k, most = shape
    model = expiry.create_model(m, k, expiry.poisson_pmf(4.0, most))
    (law,) = periods.create_periods(model, "float32")
    values = 10 * jax.random.normal(jax.random.key(m), (k,) * m)
    right, decision = tensor.backup(values, law, decide=decide)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    # A function of its own: what JAX has traced of another one, it would not trace again.
    anew = jax.jit(lambda *given: tensor.backup.__wrapped__(*given, decide=decide))
    found, other = anew(values, law)
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-4)
    if decide:
        assert (other.depletion == decision.depletion).mean() > 0.99
        assert (other.order == decision.order).mean() > 0.99


@pytest.mark.parametrize("cache", [1, 500])
def test_blocks_of_columns_change_no_number(cache, monkeypatch):
    """Sixteen columns at once, one by one, or four by four."""
    model = expiry.create_model(4, 4, expiry.poisson_pmf(4.0, 9))
    (law,) = periods.create_periods(model, "float32")
    values = 10 * jax.random.normal(jax.random.key(4), (4,) * 4)
    right = tensor.backup(values, law, decide="int16")
    monkeypatch.setattr(tensor, "CACHE", cache)
    assert tensor.block_size(4, 16, "float32") == (1 if cache == 1 else 4)
    anew = jax.jit(lambda *given: tensor.backup.__wrapped__(*given, decide="int16"))
    jax.tree.map(np.testing.assert_array_equal, anew(values, law), right)


def test_a_period_more_is_a_period_earlier():
    """The decisions of period t of T are those of the first period of T - t."""
    whole = expiry.solve(BASE, 3, keep_policies=True)
    for t in range(3):
        rest = expiry.solve(BASE, 3 - t)
        np.testing.assert_array_equal(whole.depletions[t], rest.depletion)
        np.testing.assert_array_equal(whole.orders[t], rest.order)


# ------------------------------------------------------- types, settings, compilations


def test_float64_leaves_the_settings_alone():
    before = jax.config.jax_enable_x64
    assert not before  # the tests' own setting
    got = expiry.solve(BASE, 2, dtype="float64", keep_policies=True)
    for name in ("values", "depletion", "order", "depletions", "orders"):
        assert type(getattr(got, name)) is np.ndarray, name
    assert got.values.dtype == np.float64
    assert got.depletion.dtype.kind == got.orders.dtype.kind == "i"
    policy = expiry.optimal_policy(got)
    value = expiry.evaluate(BASE, policy, 2, dtype="float64")
    assert (type(value), value.dtype) == (np.ndarray, np.float64)
    with pytest.raises(ValueError, match="demand_pmf"):
        expiry.solve(BASE._replace(demand_pmf=[2.0]), 2, dtype="float64")
    assert not jax.config.jax_enable_x64
    assert jax.numpy.ones(1).dtype == np.float32


def test_the_default_is_jaxs_own_setting():
    got = expiry.solve(BASE, 1)
    assert isinstance(got.values, np.ndarray)
    assert got.values.dtype == np.float32
    with enable_x64(True):
        got = expiry.solve(BASE, 1)
        assert isinstance(got.values, np.ndarray)
        assert got.values.dtype == np.float64
        assert expiry.solve(BASE, 1, dtype="float32").values.dtype == np.float32
        assert jax.config.jax_enable_x64


@pytest.mark.parametrize("dtype", [np.float64, np.dtype("float64"), "float64"])
def test_a_type_has_many_names(dtype):
    assert expiry.solve(BASE, 1, dtype=dtype).values.dtype == np.float64


def test_strict_settings_hold_here():
    """What conftest.py promises: the tests of this file would see a silent promotion."""
    assert jax.config.jax_numpy_dtype_promotion == "strict"
    assert jax.config.jax_numpy_rank_promotion == "raise"


@pytest.fixture
def compilations():
    """The compilations from here on, one entry each."""
    seen, on = [], [True]

    def listen(event, duration, **_):
        if on[0] and event == "/jax/core/compile/backend_compile_duration":
            seen.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    on[0] = False  # listeners cannot be removed one by one in every version


@each_method
def test_a_second_solve_compiles_nothing(method, compilations):
    """Other prices, another law of the same size, another number of periods."""

    def model(price, pmf):
        return expiry.create_model(
            2, 3, pmf,
            salvage=1, holding_cost=0.5, unit_cost=2, price=price, disposal_cost=2, discount=0.9,
        )  # fmt: skip

    expiry.solve(model(5, [0.1] * 10), 2, method=method)
    assert compilations  # it listens
    compilations.clear()
    expiry.solve(model(6, [0.05, 0.15] * 5), 3, method=method)
    expiry.solve(model(6, [0.1] * 10), 2, method=method)
    assert not compilations


def test_where_the_arrays_are_put():
    """A device chosen by the caller, by itself or by its platform's name."""
    expected = expiry.solve(BASE, 1)
    for device in (jax.devices()[0], "cpu"):
        with jax.default_device(device):
            got = expiry.solve(BASE, 1)
        np.testing.assert_array_equal(got.values, expected.values)


def test_what_decisions_may_lose_is_discounted_like_money():
    """At α = 1/2 what comes after ten periods is a thousandth of it."""
    model = expiry.create_model(2, 4, np.full(4, 0.25), discount=0.5)
    ten, twenty = (
        expiry.solve(model, T, dtype="float64").certificate.loss for T in (10, 20)
    )
    assert twenty == pytest.approx(ten, rel=0.01)


def test_a_tie_is_a_share_of_all_that_a_period_may_cost():
    """Four full shelves of two units, at 1 a unit."""
    free = dict.fromkeys(PRICES[:5], 0) | {"holding_cost": 1}
    model = expiry.create_model(4, 3, np.eye(4)[0], **free)
    with enable_x64(True):
        (law,) = periods.create_periods(model, "float64")
    assert float(law.tie) == pytest.approx(periods.TIES["float64"] * 4 * 2, rel=1e-6)
