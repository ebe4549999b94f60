"""How a model is run best here: measured once for a model and a device, and kept."""
