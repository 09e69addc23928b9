"""The review of a plan where no purchase can be weighed: what is signed for, and what is not."""
