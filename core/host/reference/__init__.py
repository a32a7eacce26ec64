"""The reference of the plugin contract, made from the source, and the public surface that releases are compared by."""
