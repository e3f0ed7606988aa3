-- What comes back: what providers report, what people answer, and who may call.

ALTER TABLE messages
    -- when a scanner, no person, opened or clicked it
    ADD COLUMN scanned_at TIMESTAMPTZ,
    -- the mail's own Message-ID, by which an answer names it
    ADD COLUMN rfc_id TEXT;
CREATE INDEX idx_messages_provider ON messages(provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX idx_messages_rfc ON messages(rfc_id) WHERE rfc_id IS NOT NULL;
-- who answers on WhatsApp names a number, and no organizer
CREATE INDEX idx_messages_number ON messages(address, sent_at) WHERE channel = 'whatsapp';

CREATE TABLE webhook_deliveries (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    provider TEXT NOT NULL CHECK (provider IN ('resend', 'twilio')),
    rehearsal BOOLEAN NOT NULL,
    -- what the provider repeats when it delivers again
    delivery_key TEXT NOT NULL,
    body JSONB NOT NULL,
    -- real time
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    tries INTEGER NOT NULL DEFAULT 0,
    processed_at TIMESTAMPTZ,
    -- what came of it, or why it waits or is held, in plain words
    outcome TEXT,
    held_at TIMESTAMPTZ,
    message_id UUID,
    UNIQUE (provider, rehearsal, delivery_key)
);
CREATE INDEX idx_deliveries_message ON webhook_deliveries(message_id) WHERE message_id IS NOT NULL;
CREATE INDEX idx_deliveries_held ON webhook_deliveries(held_at) WHERE held_at IS NOT NULL;

-- What people, and their machines, answered.
CREATE TABLE replies (
    -- the delivery that brought it
    id UUID PRIMARY KEY REFERENCES webhook_deliveries(id),
    message_id UUID NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL DEFAULT '',
    -- an out-of-office note or another machine's answer
    automatic BOOLEAN NOT NULL,
    -- the day until which somebody says to be away
    away_until DATE,
    -- business instant
    replied_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idx_replies_message ON replies(message_id);

CREATE TABLE api_keys (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    organizer_id UUID NOT NULL REFERENCES organizers(id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'approver')),
    -- SHA-256 of the key; the key itself is shown once and kept nowhere
    hash BYTEA NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    revoked_at TIMESTAMPTZ
);
-- the figures
CREATE INDEX idx_occurrences_held ON occurrences(held_at) WHERE held_at IS NOT NULL;
