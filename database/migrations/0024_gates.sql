-- Several things may stand against an address, and each is taken back by itself: a START takes back the STOP, not the complaint.
ALTER TABLE suppressions DROP CONSTRAINT suppressions_pkey, ADD PRIMARY KEY (organizer_id, channel, address, reason);

-- Other quiet hours, another frequency cap: the gates look anew at what the old ones hold. `claims.claim` writes such a hold under a
-- share lock on the organizer's row, so none is written that this does not see.
CREATE FUNCTION eventos_free_held() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE messages m SET release_at = eventos_now(m.event_id), reason = NULL
    WHERE m.organizer_id = NEW.id AND m.status = 'queued' AND m.release_at < 'infinity' AND m.release_at > eventos_now(m.event_id)
      AND m.reason IN ('held until the quiet hours end', 'held by the frequency cap');
    RETURN NULL;
END $$;
CREATE TRIGGER free_held AFTER UPDATE ON organizers FOR EACH ROW
    WHEN ((OLD.quiet_from, OLD.quiet_until, OLD.cap_messages, OLD.cap_days)
          IS DISTINCT FROM (NEW.quiet_from, NEW.quiet_until, NEW.cap_messages, NEW.cap_days))
    EXECUTE FUNCTION eventos_free_held();

-- What an automation that had ended is again once the pause of the messages that it still had is over.
ALTER TABLE automation_workflows ADD COLUMN ended_as TEXT;
