"""What a machine sounds like: a classifier of half seconds of synthesised sound."""
