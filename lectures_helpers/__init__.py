"""Kernels and exact results for the lectures on inventory theory."""

__version__ = "0.1.0"
