"""The main job, end to end, over the simulator."""
