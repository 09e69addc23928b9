"""A schedule planned again in the middle: what is paid is sunk, the rest is optimised."""
