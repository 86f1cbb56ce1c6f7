"""What the loop remembers: rows that were told, rows that are pending, where searches stand."""
