"""How a module of one's own is begun: `module/` holds the files, `__main__` puts them into place."""
