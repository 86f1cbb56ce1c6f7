"""Physics tasks with a differentiable simulator, for invcore."""
