"""What lectures share with their readers: figures, explorers, what they run on."""
