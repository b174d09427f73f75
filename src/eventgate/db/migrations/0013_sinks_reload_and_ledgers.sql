-- Sinks that change while everything runs, and what is watched of them.

-- Every key of a sink's definition as people may see it: secrets by a slow salted hash.
ALTER TABLE sinks ADD COLUMN definition jsonb;

-- Its totals are of another company's events too, or of all companies': of its company's own nobody counted them apart.
ALTER TABLE sinks ADD COLUMN changed_hands boolean NOT NULL DEFAULT false;

-- The ledger of each sink at the end of each minute, for as long as anybody looks back: a day or two.
CREATE TABLE sink_minutes (
    sink        text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    minute      timestamptz NOT NULL,
    generation  bigint  NOT NULL,
    ledger      jsonb   NOT NULL,
    own         jsonb,               -- over its company's events alone
    balances    boolean NOT NULL,
    PRIMARY KEY (sink, minute)
);

-- What is wrong with a sink at the moment, one row each. It goes when that is over.
CREATE TABLE sink_alarms (
    sink      text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    code      text COLLATE "C" NOT NULL,    -- of the system alert, as in the catalogue
    detail    text NOT NULL,
    began_at  timestamptz NOT NULL,
    PRIMARY KEY (sink, code)
);

-- System alerts that are still to be appended to the journal. A row is written in the transaction of the change it is
-- about and deleted once its event is committed: the event is made of the row alone, so appended twice it is one.
CREATE TABLE system_alerts_waiting (
    id        uuid PRIMARY KEY,             -- of the event
    company   uuid NOT NULL,
    code      text COLLATE "C" NOT NULL,
    message   text NOT NULL,
    data      jsonb NOT NULL,
    at        timestamptz NOT NULL
);

-- How many events of each company each batch brought, and how many there are of it so far: a company's sink has a ledger
-- over the company's own events. Counted from position ``counted_from`` on; what was stored before is one sum.
CREATE TABLE journal_companies (
    company   uuid    NOT NULL,
    position  bigint  NOT NULL,
    events    integer NOT NULL,
    total     bigint  NOT NULL,
    PRIMARY KEY (company, position)
);
CREATE INDEX journal_companies_position ON journal_companies USING brin (position) WITH (pages_per_range = 16);

ALTER TABLE journal_origin ADD COLUMN counted_from bigint NOT NULL DEFAULT 0;

-- Nothing is appended while what is there is counted.
SELECT pg_advisory_xact_lock(1162300496, 1);
UPDATE journal_origin SET counted_from = coalesce((SELECT max(position) FROM journal), position);
INSERT INTO journal_companies (company, position, events, total)
SELECT e.company, o.counted_from, 0, count(*) FROM events e, journal_origin o GROUP BY e.company, o.counted_from;

-- What a company's sink passed over because it was other companies'. Null, for good: a sink that began before this was
-- counted apart from what its filter left out, and so has no ledger of its company's own.
ALTER TABLE cursors ADD COLUMN foreign_events bigint, ADD COLUMN replay_foreign_events bigint;
ALTER TABLE cursors ALTER COLUMN foreign_events SET DEFAULT 0;
ALTER TABLE sink_generations ADD COLUMN foreign_events bigint;

-- As before, and the companies of the batch with the number of events of each.
CREATE PROCEDURE journal_append(new_batch bigint, new_events integer, new_bytes integer, contents bytea, first uuid, last uuid, body bytea,
                                companies uuid[], counts integer[])
LANGUAGE plpgsql AS $$
DECLARE
    newest        record;
    moment        timestamptz;
    new_position  bigint;
    new_digest    bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(1162300496, 1);
    SELECT j.position, j.total, j.digest, j.committed INTO newest FROM journal j ORDER BY j.position DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT o.position, o.total, o.digest, '-infinity'::timestamptz AS committed INTO newest FROM journal_origin o;
    END IF;
    new_position := newest.position + 1;
    new_digest := sha256(newest.digest || int8send(new_position) || int4send(new_events) || contents);
    moment := greatest(clock_timestamp(), newest.committed + interval '1 microsecond');
    INSERT INTO journal (position, batch, committed, events, total, bytes, first_id, last_id, digest)
    VALUES (new_position, new_batch, moment, new_events, newest.total + new_events, new_bytes, first, last, new_digest);
    INSERT INTO journal_payloads (committed, position, payload) VALUES (moment, new_position, body);
    INSERT INTO journal_companies (company, position, events, total)
    SELECT one.company, new_position, one.events,
           one.events + coalesce((SELECT c.total FROM journal_companies c WHERE c.company = one.company
                                  ORDER BY c.position DESC LIMIT 1), 0)
    FROM unnest(companies, counts) AS one (company, events);
    RAISE INFO '% %', new_position, encode(new_digest, 'hex');
END $$;

-- For a version that still serves and does not count.
CREATE OR REPLACE PROCEDURE journal_append(new_batch bigint, new_events integer, new_bytes integer, contents bytea, first uuid, last uuid, body bytea)
LANGUAGE plpgsql AS $$
DECLARE
    companies uuid[];
    counts    integer[];
BEGIN
    SELECT array_agg(e.company), array_agg(e.events) INTO companies, counts
    FROM (SELECT company, count(*)::integer AS events FROM events
          WHERE batch = new_batch AND id BETWEEN first AND last GROUP BY company) AS e;
    CALL journal_append(new_batch, new_events, new_bytes, contents, first, last, body, companies, counts);
END $$;
