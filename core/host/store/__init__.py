"""What the store's pages read: plugins with publisher and state, what they may do, where they show, how they do."""
