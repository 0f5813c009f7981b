"""Kernels and exact results for the lectures on inventory theory."""
