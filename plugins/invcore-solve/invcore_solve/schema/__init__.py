"""What a table holds: kinds of columns, relations, replicates, and what users say of them."""
