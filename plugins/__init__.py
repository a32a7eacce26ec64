"""First-party plugins. Each enters through `tongshang`, exactly as a stranger's would; none knows another."""
