"""Tasks from engineering for invcore, whose classical problems are specifications."""
