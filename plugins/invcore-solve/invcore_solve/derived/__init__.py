"""Responses that follow from designs and other responses: computed, never learnt."""
