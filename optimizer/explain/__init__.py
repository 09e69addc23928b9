"""Questions about a plan, answered by solving again: why not this, what does one more cost."""
