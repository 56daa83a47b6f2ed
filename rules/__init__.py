"""Server-side rules: conditions and actions, evaluated purely."""
