"""Kernels of the course side by side with their peers, on one machine in one run.

``python -m benchmarks`` runs everything and writes the results, with the machine that they ran on,
to ``benchmarks/results``.
"""
