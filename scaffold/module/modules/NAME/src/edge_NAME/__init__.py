"""The NAME module: counts predictions by their labels."""
