"""Which rule is best: dynamic programs whose optimum is exact, and the rules beside it."""
