"""The step ``evaluate``: is a run's model good enough to take the place of the active one?"""
