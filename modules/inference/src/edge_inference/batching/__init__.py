"""Work that waits for the model, from the routes and over HTTP, and what of it goes into one run."""
