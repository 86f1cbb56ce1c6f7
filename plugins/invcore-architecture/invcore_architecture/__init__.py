"""The architecture task for invcore: pixel cells to a Young's modulus, by homogenisation."""
