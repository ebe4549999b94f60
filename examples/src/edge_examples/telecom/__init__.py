"""A cell site's key figures over time: a model that tells windows of ordinary operation from others."""
