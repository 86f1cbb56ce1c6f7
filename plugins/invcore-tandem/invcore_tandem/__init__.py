"""Tandem: an inverse network trained through a frozen forward one, for invcore."""
