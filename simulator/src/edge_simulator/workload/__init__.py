"""The security daemon's part: a certificate authority and the workload API."""
