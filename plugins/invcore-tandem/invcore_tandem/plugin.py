"""What this package adds to invcore."""
