"""What following the tool would have cost on the prices of the past, against other ways."""
