"""The whole application in one thread, on a virtual clock, under a seeded storm of faults.

`docs/simulation.md` says how it works, `python -m simulation --help` how to run and replay it.
"""
