"""What can serve what: usable offers, configurations that fit, and why the rest cannot."""
