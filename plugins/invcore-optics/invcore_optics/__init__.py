"""Exact optics tasks for invcore: thin-film, nanoshell."""
