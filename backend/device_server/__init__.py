"""The LwM2M side of the backend: keys, registrations and datagrams, and no domain (docs/architecture.md)."""
