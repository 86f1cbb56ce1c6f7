"""Reports of stored runs: one HTML page and its pictures, for invcore."""
