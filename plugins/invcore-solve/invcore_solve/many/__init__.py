"""Designs for many targets: in parts, whose number costs no memory."""
