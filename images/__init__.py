"""How the modules' images are made: what runs in them while they are built, and what builds, lists and pushes them."""
