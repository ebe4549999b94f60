"""The active model over HTTP, by the Open Inference Protocol v2, beside the routes or without any hub."""
