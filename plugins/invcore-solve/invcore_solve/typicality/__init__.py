"""Where designs are like those of the table: distances, blocks of columns, and moves."""
