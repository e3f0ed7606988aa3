"""How a message is written into the queue, whoever writes it: once per key, and past one that was not sent."""

INTO = """
    INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, round, person_id, channel,
        address, template, content_id, content_revision, priority, topic, release_at, valid_until, date_revision, include, alone)
"""

# What an earlier run sent, or may have sent, is not sent again; what it did not send is.
TAKE_OVER = """
    ON CONFLICT (key) DO UPDATE SET
        automation_id = excluded.automation_id, log_id = excluded.log_id, organizer_id = excluded.organizer_id,
        address = excluded.address, template = excluded.template, content_id = excluded.content_id,
        content_revision = excluded.content_revision, priority = excluded.priority, topic = excluded.topic,
        release_at = excluded.release_at, valid_until = excluded.valid_until, date_revision = excluded.date_revision,
        status = 'queued', reason = NULL, counted = TRUE, not_before = NULL, batch_id = NULL, attempted_at = NULL,
        attempts = 0, provider_id = NULL, include = excluded.include, missing = NULL, alone = excluded.alone
    WHERE messages.status IN ('failed', 'skipped', 'cancelled')
"""
