"""What results hold: sums of the parts, and standard errors over replications."""

import jax
import numpy as np

from lectures_helpers.classical import shop


def test_costs_add_up():
    costs = shop.create_costs(1.0, 2.0, 4.0, 8.0)
    assert costs.total == 15.0
    assert costs == (15.0, 1.0, 2.0, 4.0, 8.0)
    assert costs.relevant == 14.0


def _simulated(rng, replications):
    parts = (rng.normal(size=(3, replications)).astype("float32") for _ in range(4))
    costs = shop.create_costs(*map(jax.numpy.asarray, parts))
    one = costs.total
    pmf = jax.numpy.asarray(rng.uniform(size=(3, replications, 5)).astype("float32"))
    return shop.Performance(costs, costs, one, one, one, one, pmf)


def test_standard_errors():
    got = shop.with_standard_error(_simulated(np.random.default_rng(0), 7), axis=1)
    errors = got.standard_error
    expected = np.std(np.asarray(got.costs.total), axis=1, ddof=1) / np.sqrt(7)
    np.testing.assert_allclose(errors.costs.total, expected, rtol=1e-5)
    assert errors.annual.holding.shape == (3,)
    expected = np.std(np.asarray(got.backorder_pmf), axis=1, ddof=1) / np.sqrt(7)
    np.testing.assert_allclose(errors.backorder_pmf, expected, rtol=1e-5)
    assert errors.standard_error is None


def test_one_replication_has_no_standard_error():
    got = shop.with_standard_error(_simulated(np.random.default_rng(1), 1), axis=1)
    assert np.isnan(np.asarray(got.standard_error.fill_rate)).all()
