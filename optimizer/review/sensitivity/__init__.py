"""How far a review's answer hangs on each assumption, and what it looks like when many move."""
