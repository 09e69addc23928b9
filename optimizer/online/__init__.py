"""Rules that decide today without knowing tomorrow, each with what is proven of it.

Pure functions of numbers: no prices of anybody, no days of a calendar, no solver.
"""
