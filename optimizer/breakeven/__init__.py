"""Break-even points: of one purchase against one rental, and of the whole plan."""
