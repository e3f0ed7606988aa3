-- How often each person was handed an event for their calendar: the SEQUENCE of the last invitation. A calendar keeps what it has
-- unless the next one stands above it, whatever it says.
CREATE TABLE invitations (
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    person_id UUID NOT NULL,
    sequence INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (event_id, person_id)
);

-- What is in calendars already bears at most the event's revision, or one above it.
INSERT INTO invitations (event_id, person_id, sequence)
SELECT DISTINCT e.id, m.person_id, e.date_revision + 1 FROM messages m JOIN events e ON e.id = m.event_id
WHERE m.alone AND m.person_id IS NOT NULL AND m.status IN ('sending', 'sent', 'unknown');
