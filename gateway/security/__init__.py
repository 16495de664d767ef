"""What a hub needs to know whom it talks to: keys, certificates, TLS, signatures."""
