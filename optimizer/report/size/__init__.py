"""Whether a model fits hardware, how fast it is, what a token costs: text, JSON, charts."""
