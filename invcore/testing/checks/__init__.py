"""The kit's checks, one file for each kind of promise."""
