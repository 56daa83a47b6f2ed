"""Who exists: users, resources, aliases, features; the plugins, and resolving a recipient."""
