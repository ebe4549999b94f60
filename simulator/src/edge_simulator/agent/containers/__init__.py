"""Modules as containers, created as edgeAgent creates them (the optional extra `docker`)."""
