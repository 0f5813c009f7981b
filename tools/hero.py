"""Draw README's picture: `python -m tools.hero` writes book/assets/hero.png."""

from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np

from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.teaching import figures

TARGET = Path(__file__).resolve().parent.parent / "book" / "assets" / "hero.png"


def draw():
    """The exact law of inventory over 200 periods, and one firm's path across it."""
    figures.use_style()
    params = ss.create_parameters()
    periods = np.arange(2, 201)
    stock = np.linspace(0.25, 99.75, 200)
    laws = ss_exact.marginals(params, 50.0, periods)
    density = np.array([law.density(stock) for law in laws])
    path = ss.sample_path(params, 50.0, 200, key=jax.random.key(3))

    fig, ax = plt.subplots(figsize=(8, 3.4))
    # Square roots, cut off at the top: the later, fainter waves are to be seen too.
    shade = np.sqrt(np.minimum(density.T, 0.035))
    ax.pcolormesh(periods, stock, shade, cmap="cividis", shading="nearest")
    ax.step(np.arange(201), path, where="post", color="white", linewidth=1.2)
    ax.set(xlabel="Period", ylabel="Inventory (units)", xlim=(2, 200), ylim=(0, 100))
    return fig


if __name__ == "__main__":
    draw().savefig(TARGET, dpi=120)
    print(f"wrote {TARGET}")
