"""The translation gate: what the two languages of the site must have in common."""
