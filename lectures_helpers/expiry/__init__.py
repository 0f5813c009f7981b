"""A stock that expires: one dynamic program, four algorithms, exact policies.

The names that the lectures use; each module below says more.
"""

from lectures_helpers.expiry.model import (
    Model,
    create_model,
    decode,
    deplete,
    encode,
    is_sensible,
    next_stock,
    poisson_pmf,
    reward,
    sample_average_pmf,
)
from lectures_helpers.expiry.policies import (
    Policy,
    Rollout,
    evaluate,
    fluid_policy,
    greedy,
    newsvendor_level,
    newsvendor_policy,
    optimal_policy,
    rollout,
    thresholds,
)
from lectures_helpers.expiry.solver import (
    Certificate,
    Solution,
    required_memory,
    solve,
)

__all__ = [
    "Certificate", "Model", "Policy", "Rollout", "Solution", "create_model", "decode",
    "deplete", "encode", "evaluate", "fluid_policy", "greedy", "is_sensible",
    "newsvendor_level",
    "newsvendor_policy", "next_stock", "optimal_policy", "poisson_pmf",
    "required_memory", "reward", "rollout", "sample_average_pmf", "solve", "thresholds",
]  # fmt: skip
