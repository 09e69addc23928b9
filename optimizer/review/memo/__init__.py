"""The memo of a review: what to sign and what it rests on, as HTML or Markdown."""
