"""From people's tables to pairs, spaces, and what the data reach."""
