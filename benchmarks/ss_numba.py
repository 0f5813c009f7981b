"""The s–S cross-section in Numba: firms in parallel, each with random numbers of its own.

Written for speed, as a peer should be: float32, one pass over the periods with the stock in a
register, no arrays of draws. A firm draws 64 random bits a period from SplitMix64 (Steele, Lea and
Flood 2014) and turns them into a normal number by the ziggurat of Marsaglia and Tsang (2000), in
which 99 of 100 draws cost one multiplication and one comparison.
"""

import math

import numba
import numpy as np

LAYERS = 256
RIGHT = 3.6541528853610088  # where the ziggurat's lowest layer ends, for 256 layers


def _ziggurat():
    """Layers of equal area under exp(-x^2 / 2): widths, scaled inner widths, heights."""
    height = np.exp(-0.5 * RIGHT**2)
    tail = np.sqrt(np.pi / 2) * math.erfc(RIGHT / np.sqrt(2))
    area = RIGHT * height + tail
    x = np.empty(LAYERS + 1)
    x[0], x[1] = area / height, RIGHT
    for i in range(2, LAYERS):
        x[i] = np.sqrt(-2 * np.log(area / x[i - 1] + np.exp(-0.5 * x[i - 1] ** 2)))
    x[LAYERS] = 0.0
    return (
        x[:-1].astype(np.float32),
        (x[1:] / x[:-1]).astype(np.float32),
        np.exp(-0.5 * x**2).astype(np.float32),
    )


WIDTH, INNER, HEIGHT = _ziggurat()
TO_UNIT = np.float32(2.0**-24)


@numba.njit(inline="always")
def _bits(state):
    """64 random bits and the next state (SplitMix64)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, z ^ (z >> np.uint64(31))


@numba.njit(inline="always")
def _unit(bits):
    """A float32 number, uniform on (0, 1), from the upper 24 of 64 bits."""
    return (np.float32(np.uint32(bits >> np.uint64(40))) + np.float32(0.5)) * TO_UNIT


@numba.njit
def _at_the_edge(state, layer, x):
    """The rare draw outside a layer's inner part: (state, whether to keep it, its size)."""
    state, bits = _bits(state)
    u = _unit(bits)
    if layer > 0:
        low, high = HEIGHT[layer], HEIGHT[layer + 1]
        return state, low + u * (high - low) < np.exp(np.float32(-0.5) * x * x), x
    while True:  # beyond RIGHT
        beyond = -np.log(u) / np.float32(RIGHT)
        state, bits = _bits(state)
        if -np.float32(2) * np.log(_unit(bits)) > beyond * beyond:
            return state, True, np.float32(RIGHT) + beyond
        state, bits = _bits(state)
        u = _unit(bits)


@numba.njit(parallel=True, fastmath=True)
def cross_section(s, S, μ, σ, x_init, num_periods, num_firms, seed):
    """(num_firms,) draws of X_T, float32."""
    X = np.empty(num_firms, np.float32)
    for i in numba.prange(num_firms):
        # The firm's stream starts at a random place of the generator's cycle of 2^64.
        _, state = _bits(np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(i))
        stock = x_init
        for _ in range(num_periods):
            while True:
                state, bits = _bits(state)
                layer = np.int64(bits & np.uint64(LAYERS - 1))
                u = _unit(bits)
                x = u * WIDTH[layer]
                if u < INNER[layer]:
                    break
                state, keep, x = _at_the_edge(state, layer, x)
                if keep:
                    break
            Z = -x if bits & np.uint64(LAYERS) else x
            stock = S if stock <= s else stock
            stock = max(stock - np.exp(μ + σ * Z), np.float32(0))
        X[i] = stock
    return X
