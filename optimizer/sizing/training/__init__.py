"""Training: the memory it takes, how fast it runs, and what was measured of it."""

from optimizer.sizing.training.relative import relative_training_speed
from optimizer.sizing.training.setup import Gang, Setup
from optimizer.sizing.training.speed import GangSpeed, training_speed

__all__ = ["Gang", "GangSpeed", "Setup", "relative_training_speed", "training_speed"]
