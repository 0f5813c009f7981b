"""Draw the landing page's pictures: `python -m tools.cards FOLDER` writes one PNG a lecture.

They are small and carry no axes, but they are the lectures' own figures: every line comes from the
package. `make book` draws them anew when the package has changed (book/_ext/lectures.py).
"""

import sys
from pathlib import Path

import jax
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from lectures_helpers import demand, expiry
from lectures_helpers.classical import base_stock, eoq, newsvendor, qr
from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.teaching import figures

WIDTH, HEIGHT = 4.0, 2.2  # inches, at 150 dots an inch: sharp on a telephone, and light
C = figures.COLORS
SHOP = ss.create_parameters(s=10.0, S=100.0, μ=1.0, σ=0.5)
BAKERY = expiry.create_model(
    2,
    15,
    expiry.poisson_pmf(6.0, 24),
    salvage=1.0,
    holding=0.5,
    order_cost=3.0,
    price=5.0,
    disposal=2.0,
    discount=0.95,
)


def sample_paths(ax):
    path = np.asarray(ss.sample_path(SHOP, 50.0, 120, key=jax.random.key(1)))
    days = np.arange(path.size)
    for level in (SHOP.s, SHOP.S):
        ax.axhline(level, color=figures.NEUTRAL, linestyle="--", linewidth=1.5)
    ax.step(days, path, where="post", color=C["inventory"], linewidth=2.4)
    due = np.flatnonzero(path[:-1] <= SHOP.s)
    ax.plot(due, path[due], "o", color=C["inventory"], markersize=7)
    ax.set(ylim=(-4, 106), xlim=(0, 120))


def cross_sections(ax):
    sample = ss.cross_section(SHOP, 50.0, 500, key=jax.random.key(2), num_firms=50_000)
    figures.inventory_histogram(ax, sample, np.linspace(0, 100, 51))
    x = np.linspace(0.1, 99.9, 400)
    law = ss_exact.marginal(SHOP, 50.0, 500)
    ax.plot(x, law.density(x), color=C["holding"], linewidth=2.4)
    ax.set(xlim=(0, 100), ylim=(0, None))


def distribution_dynamics(ax):
    days, stock = np.arange(2, 201, 2), np.linspace(0.5, 99.5, 120)
    laws = ss_exact.marginals(SHOP, 50.0, days)
    density = np.array([law.density(stock) for law in laws])
    # Square roots, cut off at the top: the later, fainter waves are to be seen too.
    shade = np.sqrt(np.minimum(density.T, 0.035))
    ax.pcolormesh(days, stock, shade, cmap="cividis", shading="nearest")


def restock_frequency(ax):
    first_day = np.arange(0, 101, 2)
    second = [ss_exact.restock_pmf(SHOP, float(x), 50)[2:].sum() for x in first_day]
    ax.fill_between(first_day, second, color=C["setup"], alpha=0.2)
    ax.plot(first_day, second, color=C["setup"], linewidth=2.4)
    ax.set(xlim=(0, 100), ylim=(0, 1.05))


def model(ax):
    """What to sell off, and what to order."""
    solution = expiry.solve(BAKERY, 10)
    side_by_side(ax, [solution.depletion, solution.order])


def side_by_side(ax, maps, **options):
    """Heat maps, each as wide as it has rows, with a gap between them."""
    left = 0.0
    for values in map(np.asarray, maps):
        height, width = values.T.shape
        box = (left, left + width, 0, height)
        ax.imshow(
            values.T,
            origin="lower",
            cmap="cividis",
            aspect="auto",
            extent=box,
            **options,
        )
        left += width + 0.5
    ax.set(xlim=(0, left - 0.5), ylim=(0, height))


def structure(ax):
    for color, value in zip(figures.SEQUENCE, (0.2, 0.6, 1.0), strict=False):
        kept, _ = expiry.thresholds(BAKERY._replace(s=value), 10)
        ax.stairs(kept, color=color, linewidth=2.6)
        ax.stairs(kept, color=color, fill=True, alpha=0.15)


def tensor_backup(ax):
    ages, levels, demands = np.arange(2, 9), 10, 20
    ax.semilogy(
        ages,
        ages * levels ** (ages + 2.0) * demands,
        "o-",
        color=C["backorder"],
        lw=2.4,
    )
    ax.semilogy(ages, levels ** (ages + 1.0), "o-", color=C["setup"], lw=2.4)
    ax.minorticks_off()


def policies(ax):
    best = np.asarray(expiry.solve(BAKERY, 10).values)
    rule = expiry.newsvendor_policy(BAKERY, 10, level=7)
    loss = best - np.asarray(expiry.evaluate(BAKERY, rule, 10))
    ax.imshow(loss.T, origin="lower", cmap="cividis", aspect="auto")


def scale(ax):
    """Values of a stock of three ages, cut into the pieces of five devices."""
    values = np.asarray(expiry.solve(BAKERY._replace(m=3), 3).values)[..., 0]
    side_by_side(ax, np.split(values, 5), vmin=values.min(), vmax=values.max())


def newsvendor_profit(ax):
    vendor, quantities = newsvendor.create_parameters(), np.arange(1, 451)
    for color, scv in zip(figures.SEQUENCE, (0.05, 0.4, 1.2), strict=False):
        law = demand.create_distribution("gamma", 225.0, scv)
        profit = newsvendor.expected_profit(vendor, law, quantities)
        best = newsvendor.optimal_quantity(vendor, law)
        ax.plot(quantities, profit, color=color, linewidth=2.4)
        top = newsvendor.expected_profit(vendor, law, best)
        ax.plot(best, top, "o", color=color, markersize=8)
    ax.set(ylim=(0, None))


def eoq_cost(ax):
    lots = np.arange(30, 501)
    costs = eoq.cost(eoq.create_parameters(), lots, unit_demand=True)
    for part, width in (("total", 3.2), ("holding", 2.2), ("setup", 2.2)):
        ax.plot(
            lots,
            getattr(costs, part),
            figures.LINES[part],
            color=C[part],
            linewidth=width,
        )
    ax.set(ylim=(0, 12))


def base_stock_frontier(ax):
    parts = base_stock.create_parameters()
    performance = base_stock.exact(parts, np.arange(26))
    best = base_stock.optimal_level(parts)
    rates, costs = performance.fill_rate, performance.costs.total
    ax.plot(rates, costs, ".-", color=C["fill rate"], linewidth=2, markersize=8)
    ax.plot(rates[best], costs[best], "o", color=C["backorder"], markersize=11)
    ax.set(ylim=(0, 26))


def qr_valley(ax):
    lorries = qr.create_parameters()
    sizes, points = np.arange(2, 51), np.arange(0, 41)
    cost = qr.exact(lorries, sizes, points).costs.total
    levels = cost.min() * np.array([1.0, 1.02, 1.05, 1.1, 1.2, 1.35, 1.6, 2.0, 9.0])
    ax.contourf(sizes, points, cost.T, levels=levels, cmap="cividis_r", norm="log")
    best_size, best_point, _ = qr.optimal_policy(lorries)
    ax.plot(best_size, best_point, "x", color=C["backorder"], ms=13, mew=3)
    ax.plot(*qr.approximate_policy(lorries), "s", color=C["demand"], markersize=10)


PICTURES = {
    "book/dynamics/sample_paths": sample_paths,
    "book/dynamics/cross_sections": cross_sections,
    "book/dynamics/distribution_dynamics": distribution_dynamics,
    "book/dynamics/restock_frequency": restock_frequency,
    "book/expiry/model": model,
    "book/expiry/structure": structure,
    "book/expiry/tensor_backup": tensor_backup,
    "book/expiry/policies": policies,
    "book/expiry/scale": scale,
    "book/classical/newsvendor": newsvendor_profit,
    "book/classical/eoq": eoq_cost,
    "book/classical/base_stock": base_stock_frontier,
    "book/classical/qr": qr_valley,
}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    figures.use_style()
    for name, picture in PICTURES.items():
        fig, ax = plt.subplots(figsize=(WIDTH, HEIGHT))
        picture(ax)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        fig.savefig(folder / f"{Path(name).name}.png", dpi=150)
        plt.close(fig)


if __name__ == "__main__":
    main()
