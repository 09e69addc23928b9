"""The finance review of a plan: what its figures rest on, and how each comes about."""
