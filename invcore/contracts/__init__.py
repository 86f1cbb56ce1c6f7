"""What a plugin writes against: one module for each kind of component."""
