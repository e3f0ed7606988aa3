-- What the blocks of attendee and follow-up mail are made of, which of them a message wants, and mail that goes alone.

ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS track TEXT NOT NULL DEFAULT '',
    -- talk, workshop, networking, ...
    ADD COLUMN IF NOT EXISTS kind TEXT NOT NULL DEFAULT 'talk',
    ADD COLUMN IF NOT EXISTS slides_url TEXT NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS recording_url TEXT NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS idx_sessions_event ON sessions(event_id, starts_at);

-- Who speaks in a session beside its `speaker_id`.
CREATE TABLE IF NOT EXISTS session_speakers (
    session_id UUID NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    speaker_id UUID NOT NULL REFERENCES speakers(id) ON DELETE CASCADE,
    PRIMARY KEY (session_id, speaker_id)
);

-- Who was in which session.
CREATE TABLE IF NOT EXISTS session_attendance (
    session_id UUID NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    registration_id UUID NOT NULL REFERENCES registrations(id) ON DELETE CASCADE,
    attended_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, registration_id)
);
CREATE INDEX IF NOT EXISTS idx_session_attendance_registration ON session_attendance(registration_id);

-- What the weather provider said about the days of an event on one business day, or why it said nothing.
CREATE TABLE forecasts (
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    told_on DATE NOT NULL,
    -- what it was asked: other coordinates or dates are another question
    question TEXT NOT NULL,
    days JSONB,
    problem TEXT,
    -- real time
    asked_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, told_on, question)
);

ALTER TABLE messages
    -- the includes its step named; NULL leaves it to the template
    ADD COLUMN include TEXT[],
    -- {include: why}: what was left out of the mail that was posted
    ADD COLUMN missing JSONB,
    -- it carries a file: the provider takes no files in batches
    ADD COLUMN alone BOOLEAN NOT NULL DEFAULT FALSE;
-- mail that goes alone and mail that goes in batches are claimed by turns, each most urgent first
DROP INDEX idx_messages_due;
CREATE INDEX idx_messages_due ON messages(rehearsal, channel, alone, priority, organizer_id, release_at) WHERE status = 'queued';
