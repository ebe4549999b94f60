"""Shapes drawn in pictures of many sizes: a small detector, which says where each is."""
