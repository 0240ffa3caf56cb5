"""Tables, not code: what the standard library and well-known packages are like."""
