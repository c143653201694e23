"""Loads the base model and writes with it."""

import os

# Threads that wait must sleep: beside any other busy process, spinning ones make torch on two
# cores more than ten times slower. libgomp reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
