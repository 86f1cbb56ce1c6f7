"""The conditional variational auto-encoder for invcore."""
