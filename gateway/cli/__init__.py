"""The command ``ansim``: thin, and each command imports only what it needs itself."""
