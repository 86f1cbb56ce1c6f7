"""Ways to do many runs on one machine, for invcore."""
