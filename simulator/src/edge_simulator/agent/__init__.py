"""edgeAgent's part: runs the modules of a deployment as processes of this machine."""
