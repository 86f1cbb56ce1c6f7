"""The nearest allowed designs, for many designs at once."""
