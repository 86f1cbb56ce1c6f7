"""Invertible networks for plugins of invcore: a library, it adds no component."""
