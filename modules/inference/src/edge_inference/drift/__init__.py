"""Input drift: whether what comes in, and what the model says of it, still looks like what the model was made for."""
