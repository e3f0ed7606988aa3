"""Words that every room shares: automations, messages, moments, ids, business time."""
