"""Measures the budgets, each beside a bare baseline in the same run.  `make bench` runs all; `python -m benchmarks NAME` one."""
