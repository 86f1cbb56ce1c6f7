"""The simulator as a method may use it, and what its calls have brought."""
