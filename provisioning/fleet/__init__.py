"""Many hubs in one process. Grows with the fleet's measurements."""
