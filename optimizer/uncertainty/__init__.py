"""What to sign today when prices, demand and deliveries are uncertain: plans over scenarios."""
