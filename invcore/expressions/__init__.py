"""Expressions in text: parsed to a fixed set of operations, never evaluated as code.

``parser`` and ``names`` need no torch; ``evaluation`` does.
"""
