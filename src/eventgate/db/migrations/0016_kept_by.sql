-- Who keeps the progress of a sink: a Kafka sink that was elsewhere in between finds an older note at its broker, rightly.

-- The place that last kept it ('kafka <topic> at <brokers>'), '' for this row itself; null: written by a version that did
-- not note it, or the sink never delivered.
ALTER TABLE cursors ADD COLUMN kept_by text COLLATE "C";
