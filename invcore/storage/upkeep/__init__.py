"""A store as a whole: runs of others taken in, and runs in one file."""
