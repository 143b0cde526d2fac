"""Why a lamp is at its level: what it says itself, next to what the backend would do in its place."""
