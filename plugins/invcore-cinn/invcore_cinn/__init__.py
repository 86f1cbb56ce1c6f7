"""The conditional invertible neural network for invcore."""
