"""Differentiable physics tasks for invcore: wave-packet, billiards, kuramoto-sivashinsky, incompressible-flow."""
