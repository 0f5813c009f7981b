"""How stock moves: s–S dynamics, simulated and exact."""
