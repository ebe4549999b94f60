"""How the commands reach a running simulator: HTTP on a Unix socket in its state folder."""
