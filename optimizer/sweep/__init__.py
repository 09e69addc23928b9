"""Sweeps: one schedule planned many times, with some of its assumptions moved."""
