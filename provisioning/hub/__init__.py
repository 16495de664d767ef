"""Setting a hub up and taking it out of service. Grows with provisioning."""
