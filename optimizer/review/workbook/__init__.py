"""The workbook of a review: buy or rent, with live formulas."""
