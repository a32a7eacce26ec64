"""Settings of plugins: the author describes them once, as a marshmallow schema, and everything else follows from it."""
