"""Published measurements, and those of them that stand for a case someone asks about."""

from optimizer.sizing.measured.common import FORM_UNSTATED, shape, sources
from optimizer.sizing.measured.inference import (
    ENGINE_NAMES,
    PRECISIONS,
    SAME_USERS,
    InferenceRow,
    Point,
    inference_rows,
    points,
)
from optimizer.sizing.measured.training import TrainingRow, training_rows

__all__ = [
    "ENGINE_NAMES",
    "FORM_UNSTATED",
    "PRECISIONS",
    "SAME_USERS",
    "InferenceRow",
    "Point",
    "TrainingRow",
    "inference_rows",
    "points",
    "shape",
    "sources",
    "training_rows",
]
