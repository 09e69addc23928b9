"""The optimisation model: plain numbers in, plain numbers out. Only this package knows OR-Tools."""
