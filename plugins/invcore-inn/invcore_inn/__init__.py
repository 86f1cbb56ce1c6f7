"""The invertible neural network for invcore."""
