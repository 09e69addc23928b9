"""Cards of the language models that can be served or trained: shape, parameters, source.

A card is a row of ``data/models/models.csv``, or is read from a Hugging Face ``config.json``.
"""

from optimizer.model_cards.card import ModelCard
from optimizer.model_cards.config_file import is_model_file
from optimizer.model_cards.table import UnknownModelError, model_card, model_cards

__all__ = ["ModelCard", "UnknownModelError", "is_model_file", "model_card", "model_cards"]
