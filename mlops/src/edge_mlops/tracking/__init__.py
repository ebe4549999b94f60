"""Tells MLflow of a run: what went in, how it came out, and its files. The run itself stays as it is."""
