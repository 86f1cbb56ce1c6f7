"""The neural adjoint method for invcore."""
