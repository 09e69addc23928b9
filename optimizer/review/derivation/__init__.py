"""How each answer of a review comes about, step by step down to what was quoted or set."""
