"""Measures Peermatch: ``python -m benchmarks [speed] [learning]`` prints figures and writes them to ``var/bench/``."""
