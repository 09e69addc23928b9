"""Why one plan costs another amount than the other: by cause, adding up."""
