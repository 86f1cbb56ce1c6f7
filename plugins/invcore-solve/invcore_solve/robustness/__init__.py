"""Designs that still work when what is made is a little off."""
