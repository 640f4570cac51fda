"""Benchmarks: what an operator costs in time and memory, beside the floor that the machine sets."""
