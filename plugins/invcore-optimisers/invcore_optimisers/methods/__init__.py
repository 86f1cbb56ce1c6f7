"""The inverse methods, one a file."""
