"""An example of a method: conditional flow matching, with a density."""
