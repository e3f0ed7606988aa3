-- Bodies of webhooks name people: they are deleted some time after they were taken in, and the row stays.
ALTER TABLE webhook_deliveries ALTER COLUMN body DROP NOT NULL;
CREATE INDEX idx_deliveries_kept ON webhook_deliveries(processed_at) WHERE body IS NOT NULL AND processed_at IS NOT NULL;
