"""The verbs of identity, one file per occasion: coming in, one's own account, the members, the keys."""
