"""Time value of money and residual values."""
