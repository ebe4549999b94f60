"""edgeHub's part: authenticates modules, keeps their twins, and stores and forwards what they send each other."""
