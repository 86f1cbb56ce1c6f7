"""How each kind of source becomes rows of cells, and rows of cells a table."""
