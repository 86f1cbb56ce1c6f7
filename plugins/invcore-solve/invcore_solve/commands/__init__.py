"""The command ``invcore solve``."""
