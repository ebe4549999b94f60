"""The fault suite: files by the thousand while everything around them goes wrong, and a comparison at the end."""
