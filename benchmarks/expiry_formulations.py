"""Other ways to write the tensor backup: the mean over demand as matrix products.

Write G(y; u) = E V(dep(u, (D - y)^+)), the mean of what follows y older units in front of
u = (u_1, ..., u_m), and split it by what demand leaves of u_1::

    G(y; u) = sum over v <= u_1 of B_y(u_1, v) V(v, u_2, ..., u_m)  +  spill(y + u_1; u_2, ..., u_m)

B_y is a k x k matrix, banded, made of the demand law; the spill is what demand does that goes
beyond y + u_1: it depends on their sum alone, and has one dimension less.  The forms below differ
in how they make the product and where they take the maximum over orders.  The spill is made by
the package's recursion, unless the form's name says otherwise, and everything after the maximum
is the package's too.
"""

from functools import partial

import jax
import jax.numpy as jnp

from lectures_helpers.expiry import tensor
from lectures_helpers.expiry.periods import total_stock

product = partial(jnp.einsum, precision="highest")


def band(period, fronts, k):
    """B, (fronts, k, k): what is left of u_1 behind n units, if demand does not go beyond."""
    n, u, v = jnp.ogrid[:fronts, :k, :k]
    pmf = jnp.pad(period.pmf, (0, max(0, fronts + k - period.pmf.size)))
    some = jnp.where(v < u, pmf[jnp.maximum(n + u - v, 0)], 0)
    return jnp.where(v == u, cdf(period, fronts)[:, None, None], some)


def cdf(period, size):
    """P(D <= n) for n < size."""
    padding = (0, max(0, size - period.cdf.size))
    return jnp.pad(period.cdf, padding, constant_values=1)[:size]


def parts(values, spill):
    """V with axes u_1, q, (u_2, ..., u_{m-1}), and the spill with axes n, q, (u_2, ...)."""
    k = values.shape[0]
    behind = jnp.moveaxis(values.reshape(k, -1, k), 2, 1)
    return behind, spill.reshape(2 * k - 1, k, -1)


def spill_by_recursion(values, period):
    """Demand beyond n = y + u_1, with sales and what the order costs: (2 k - 1, q, ...)."""
    empty = values[0]
    k = values.shape[0]
    table = tensor.fronts(empty, period).reshape(2 * k - 1, -1)
    reached = cdf(period, 2 * k - 1)[:, None] * jnp.moveaxis(empty, -1, 0).reshape(
        1, -1
    )
    return table - reached


def spill_by_products(values, period):
    """The same by products, one dimension less at a time."""
    k, empty, fronts = values.shape[0], values[0], 2 * values.shape[0] - 1
    reached = cdf(period, fronts)[:, None] * empty.reshape(1, -1)
    beyond = means_by_products(empty, period, fronts).reshape(fronts, -1) - reached
    stock = total_stock((k,) * empty.ndim, int).reshape(-1)
    most = empty.ndim * (k - 1)
    padding = (0, max(0, fronts + most - period.sales.size))
    sales = jnp.pad(period.sales, padding, mode="edge")
    windows = jnp.stack([sales[n : n + most + 1] for n in range(fronts)])
    table = (beyond + period.price * windows[:, stock]).reshape(fronts, -1, k)
    table = table - period.unit_cost * jnp.arange(k, dtype=values.dtype)[None, None]
    return jnp.moveaxis(table, 2, 1)


def means_by_products(values, period, fronts):
    """G(n; u) for n < fronts, (fronts, k, ..., k)."""
    k = values.shape[0]
    main = product("nuv,v...->nu...", band(period, fronts, k), values)
    beyond = jnp.zeros((fronts, k) + (1,) * (values.ndim - 1), values.dtype)
    if values.ndim > 1:
        rest = means_by_products(values[0], period, fronts + k - 1)
        reached = cdf(period, fronts + k - 1)
        reached = reached.reshape((-1,) + (1,) * (values.ndim - 1))
        rest = rest - reached * values[0][None]
        beyond = jnp.stack([rest[n : n + k] for n in range(fronts)])
    else:  # all that is left is gone
        above = 1 - cdf(period, fronts + k - 1)
        beyond = jnp.stack([above[n : n + k] for n in range(fronts)]) * values[0]
    return main + beyond


def finish(best, values, period):
    """V_t from the best over orders, axes y_1, u_1, (u_2, ...)."""
    m, k = values.ndim, values.shape[0]
    held = total_stock((k, k), values.dtype)[:, :, None]
    held = held + total_stock((k,) * (m - 2), held.dtype).reshape(1, 1, -1)
    kept = tensor.after_order(best, held, period).reshape(values.shape)
    return tensor.running_maximum(kept, period.salvage)


def each_front(values, period, spill=spill_by_recursion):
    """(a) A product for each y, its maximum over orders at once."""
    k = values.shape[0]
    behind, spill = parts(values, spill(values, period))

    def with_front(y):
        beyond = jax.lax.dynamic_slice_in_dim(spill, y, k)
        means = product("uv,vqr->uqr", matrices[y], behind) + beyond
        return means.max(1)

    matrices = band(period, k, k)
    return finish(jax.lax.map(with_front, jnp.arange(k)), values, period)


def all_fronts(values, period):
    """(b) One product for all y."""
    k = values.shape[0]
    behind, spill = parts(values, spill_by_recursion(values, period))
    means = product("yuv,vqr->yuqr", band(period, k, k), behind)
    beyond = jnp.stack([spill[y : y + k] for y in range(k)])
    return finish((means + beyond).max(2), values, period)


def each_order(values, period):
    """(c) A product for each order, all y, and a running maximum."""
    k = values.shape[0]
    behind, spill = parts(values, spill_by_recursion(values, period))
    matrices = band(period, k, k)

    def with_order(best, xs):
        behind, spill = xs
        beyond = jnp.stack([spill[y : y + k] for y in range(k)])
        means = product("yuv,vr->yur", matrices, behind) + beyond
        return jnp.maximum(best, means), None

    start = jnp.full((k, k, behind.shape[2]), -jnp.inf, values.dtype)
    orders = jnp.swapaxes(behind, 0, 1), jnp.swapaxes(spill, 0, 1)
    return finish(jax.lax.scan(with_order, start, orders)[0], values, period)


def front_recursion(values, period):
    """(d) The package's: no product, each G from its neighbour; large models in blocks."""
    return tensor.backup(values, period)[0]


def front_recursion_in_blocks(values, period, block=1000):
    """(e) The same chains in blocks of columns (u_2, ..., u_{m-1}) that fit a small cache."""
    k = values.shape[0]
    behind = jnp.moveaxis(values.reshape(k, -1, k), 2, 1)
    chains = tensor.fronts(values[0], period).reshape(2 * k - 1, k, -1)
    columns = behind.shape[2]
    block = next(n for n in range(min(block, columns), 0, -1) if columns % n == 0)

    def with_block(i):
        cut = partial(jax.lax.dynamic_slice_in_dim, slice_size=block, axis=2)
        here, rest = cut(behind, i * block), cut(chains, i * block)

        def with_first_class(carry, u_1):
            chains, last = carry
            this = jax.lax.dynamic_index_in_dim(here, u_1, keepdims=False)
            n = jnp.arange(2 * k - 1) - u_1
            reached = jnp.where(n < 0, 0, period.cdf[jnp.maximum(n, 0)])
            chains = chains + reached[:, None, None] * (this - last)[None]
            return (chains, this), jax.lax.dynamic_slice_in_dim(chains, u_1, k).max(1)

        return jax.lax.scan(with_first_class, (rest, here[0]), jnp.arange(k))[1]

    best = jax.lax.map(
        with_block, jnp.arange(columns // block)
    )  # block, u_1, y, column
    best = jnp.moveaxis(best, 0, 2)  # u_1, y, block, column
    best = jnp.swapaxes(best, 0, 1).reshape(k, k, columns)
    return finish(best, values, period)


FORMS = {
    "recursion along the front (the package)": front_recursion,
    "recursion along the front, small blocks": jax.jit(front_recursion_in_blocks),
    "product for each front": jax.jit(each_front),
    "product for each front, spill by products": jax.jit(
        partial(each_front, spill=spill_by_products)
    ),
    "one product for all fronts": jax.jit(all_fronts),
    "product for each order": jax.jit(each_order),
}
