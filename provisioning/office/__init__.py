"""The office: certificate authority, broker configuration, and the tools of the town."""
