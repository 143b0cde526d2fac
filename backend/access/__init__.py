"""Who may call the HTTP API: tokens and roles."""
