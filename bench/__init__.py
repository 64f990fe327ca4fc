"""Benchmarks: `python -m bench NAME` measures a running stack and prints a table and a line of JSON."""
