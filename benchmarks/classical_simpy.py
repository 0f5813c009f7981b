"""Base stock in SimPy: customers, orders and a shelf as processes, as one would model them there."""

import numpy as np
import simpy


def base_stock(rate, lead_time, level, num_demands, seed):
    """Mean holding time, mean wait and fill rate of one replication."""
    rng = np.random.default_rng(seed)
    env = simpy.Environment()
    shelf = simpy.Store(env)
    shelf.items.extend([0.0] * level)  # a unit is the date on which it came
    held = waited = 0.0
    at_once = 0

    def order():
        yield env.timeout(lead_time)
        yield shelf.put(env.now)

    def customer():
        nonlocal held, waited, at_once
        asked = env.now
        arrived = yield shelf.get()
        held += max(asked - arrived, 0.0)
        waited += env.now - asked
        at_once += arrived <= asked

    def demands():
        for gap in rng.exponential(1 / rate, num_demands):
            yield env.timeout(gap)
            env.process(customer())
            env.process(order())

    env.process(demands())
    env.run()
    return held / num_demands, waited / num_demands, at_once / num_demands
