"""Users' tables of numbers: reading, checking, choosing columns, writing."""
