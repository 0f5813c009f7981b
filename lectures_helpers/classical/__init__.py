"""How much to order, and when: newsvendor, EOQ, base stock, (Q, r)."""
