"""Published measurements, and those of them that stand for a case someone asks about."""

from optimizer.sizing.measured.common import FORM_UNSTATED, shape, sources
from optimizer.sizing.measured.inference import (
    ENGINE_NAMES,
    PRECISIONS,
    SAME_USERS,
    Asked,
    InferenceRow,
    Point,
    between,
    index,
    inference_rows,
    key_of,
    points,
    published,
    token_s,
)
from optimizer.sizing.measured.training import TrainingRow, training_rows

__all__ = [
    "ENGINE_NAMES",
    "FORM_UNSTATED",
    "PRECISIONS",
    "SAME_USERS",
    "Asked",
    "InferenceRow",
    "Point",
    "TrainingRow",
    "between",
    "index",
    "inference_rows",
    "key_of",
    "points",
    "published",
    "shape",
    "sources",
    "token_s",
    "training_rows",
]
