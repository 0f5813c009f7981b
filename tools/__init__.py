"""The project's own commands: run them through make."""
