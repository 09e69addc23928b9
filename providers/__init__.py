"""Prices: providers' tables, normalised to offers, with source and date. Knows nothing of plans."""
