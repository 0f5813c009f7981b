"""Python with this folder on its path takes the branches that are meant for a GPU."""

import jax

jax.default_backend = lambda: "gpu"
