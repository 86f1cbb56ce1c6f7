"""Plugins: what they say of themselves, how they are found, loaded and begun."""
