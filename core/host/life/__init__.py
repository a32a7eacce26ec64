"""A plugin's life in the installation: planned, consented to, carried out in one transaction, taken over by every process."""
