"""Loops: searches that ask for rows; each is a method of invcore too."""
