"""Handwritten digits: a small classifier in two versions, and the held-out digits as files to classify."""
