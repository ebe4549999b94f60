"""The commands of `edge-simulator`, a file each."""
