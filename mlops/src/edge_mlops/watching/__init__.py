"""``watch``: when data, devices or code give reason to, the steps are taken, from the dataset to the rollout."""
