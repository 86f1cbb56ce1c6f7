"""The mixture density network for invcore."""
