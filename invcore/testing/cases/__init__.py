"""What the kit tries components on: small problems, and what is computed of them."""
