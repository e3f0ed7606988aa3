-- The EventOS application's own tables, created only where the application has not made them. Columns that the
-- automations need beside the application's are added to tables that exist already.

CREATE SCHEMA IF NOT EXISTS auth;

CREATE TABLE IF NOT EXISTS auth.users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    email TEXT
);

CREATE TABLE IF NOT EXISTS organizers (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    postal_address TEXT NOT NULL DEFAULT '',
    timezone TEXT NOT NULL DEFAULT 'UTC',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
ALTER TABLE organizers
    -- sending window: nothing below priority 1 leaves between these wall times of the recipient
    ADD COLUMN IF NOT EXISTS quiet_from TIME,
    ADD COLUMN IF NOT EXISTS quiet_until TIME,
    -- at most cap_messages to one address on one channel in cap_days; NULL is no cap
    ADD COLUMN IF NOT EXISTS cap_messages INTEGER CHECK (cap_messages > 0),
    ADD COLUMN IF NOT EXISTS cap_days INTEGER NOT NULL DEFAULT 7 CHECK (cap_days > 0),
    ADD COLUMN IF NOT EXISTS sender_email TEXT,
    ADD COLUMN IF NOT EXISTS whatsapp_content JSONB NOT NULL DEFAULT '{}'::JSONB,
    -- the organizer a rehearsal's shadow was copied from
    ADD COLUMN IF NOT EXISTS rehearsal_of UUID REFERENCES organizers(id) ON DELETE CASCADE;

CREATE TABLE IF NOT EXISTS events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    organizer_id UUID REFERENCES organizers(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    tagline TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'draft',
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ,
    timezone TEXT,
    venue TEXT NOT NULL DEFAULT '',
    city TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    url TEXT NOT NULL DEFAULT '',
    register_url TEXT NOT NULL DEFAULT '',
    price TEXT NOT NULL DEFAULT '',
    capacity INTEGER,
    audience TEXT NOT NULL DEFAULT '',
    brand_color TEXT NOT NULL DEFAULT '',
    sponsor_categories TEXT[] NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS details JSONB NOT NULL DEFAULT '{}'::JSONB,
    ADD COLUMN IF NOT EXISTS date_revision INTEGER NOT NULL DEFAULT 0,
    -- a rehearsal's clock; NULL is an event that lives in real time
    ADD COLUMN IF NOT EXISTS clock_now TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS rehearsal_of UUID REFERENCES events(id) ON DELETE CASCADE;

CREATE TABLE IF NOT EXISTS contacts (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    organizer_id UUID NOT NULL REFERENCES organizers(id) ON DELETE CASCADE,
    email TEXT,
    phone TEXT,
    first_name TEXT NOT NULL DEFAULT '',
    last_name TEXT NOT NULL DEFAULT '',
    company TEXT NOT NULL DEFAULT '',
    timezone TEXT,
    vip BOOLEAN NOT NULL DEFAULT FALSE,
    email_consent BOOLEAN NOT NULL DEFAULT TRUE,
    whatsapp_opt_in BOOLEAN NOT NULL DEFAULT FALSE,
    interests TEXT[] NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idx_contacts_organizer ON contacts(organizer_id);

CREATE TABLE IF NOT EXISTS registrations (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    contact_id UUID NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'confirmed',
    ticket_type TEXT NOT NULL DEFAULT 'General',
    ticket_code TEXT NOT NULL DEFAULT '',
    registered_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (event_id, contact_id)
);

CREATE TABLE IF NOT EXISTS speakers (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    contact_id UUID REFERENCES contacts(id) ON DELETE SET NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    company TEXT NOT NULL DEFAULT '',
    bio TEXT NOT NULL DEFAULT '',
    topics TEXT[] NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS sessions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    speaker_id UUID REFERENCES speakers(id) ON DELETE SET NULL,
    title TEXT NOT NULL,
    abstract TEXT NOT NULL DEFAULT '',
    room TEXT NOT NULL DEFAULT '',
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    topics TEXT[] NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS sponsors (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    organizer_id UUID NOT NULL REFERENCES organizers(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    category TEXT NOT NULL DEFAULT '',
    website TEXT NOT NULL DEFAULT '',
    contact_name TEXT NOT NULL DEFAULT '',
    contact_email TEXT NOT NULL DEFAULT '',
    contact_phone TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS sponsorships (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    sponsor_id UUID NOT NULL REFERENCES sponsors(id) ON DELETE CASCADE,
    tier TEXT NOT NULL DEFAULT '',
    amount NUMERIC(12, 2),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
