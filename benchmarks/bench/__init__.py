"""The suite against the machine's limit: `make bench`."""
