"""What is kept: run folders, caches, and files that are there whole or not at all."""
