"""How probable it is that a design meets what is wanted, from errors of held-out rows."""
