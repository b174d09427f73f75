-- A receiver that wants nothing more, ever, disables its sink.

-- Why the sink is meant to rest, beside ``paused``, and only together with it: a version that still serves sees a sink that
-- is paused, as it always did, and resumes it.
ALTER TABLE sinks ADD COLUMN disabled boolean NOT NULL DEFAULT false;
