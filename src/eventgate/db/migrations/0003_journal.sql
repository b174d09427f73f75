-- The journal: one append-only log of committed batches, the events in it, and who has read how far.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Where the chain begins. Rows of the journal older than every stored event are deleted from the front;
-- this row then keeps the last deleted position, its digest, and how many events had been stored until then.
CREATE TABLE journal_origin (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id        uuid   NOT NULL DEFAULT gen_random_uuid(),
    position  bigint NOT NULL DEFAULT 0,
    total     bigint NOT NULL DEFAULT 0,
    digest    bytea  NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
);
INSERT INTO journal_origin DEFAULT VALUES;

-- One row for each group commit. It lives as long as its events: duplicates answer with the position of their
-- first storing, and the chain is recomputed from it.
CREATE TABLE journal (
    position   bigint      PRIMARY KEY,
    batch      bigint      NOT NULL UNIQUE,
    committed  timestamptz NOT NULL,              -- strictly increasing with position
    events     integer     NOT NULL,
    total      bigint      NOT NULL,              -- events stored up to and including this batch
    bytes      integer     NOT NULL,              -- of the events' rows, so that readers can bound what they take
    first_id   uuid        NOT NULL,              -- the least and the greatest event id: which partitions to look in
    last_id    uuid        NOT NULL,
    digest     bytea       NOT NULL               -- SHA-256(previous digest, position, events, SHA-256(content digests))
);
CREATE INDEX journal_committed ON journal (committed);
-- Each appender draws 32 numbers at a time.
CREATE SEQUENCE journal_batch AS bigint INCREMENT BY 32;

-- The accepted bytes of each event and what the gate added, compressed by the client. Retention drops whole hours.
CREATE TABLE journal_payloads (
    committed  timestamptz NOT NULL,
    position   bigint      NOT NULL,
    payload    bytea       NOT NULL,
    PRIMARY KEY (committed, position)
) PARTITION BY RANGE (committed);
ALTER TABLE journal_payloads ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Every accepted event of every kind. An id is a UUIDv7 of the event's own timestamp, so a range of ids is a range of time.
-- No foreign keys and few indexes: the newest partition takes every write. Text indexes come when a day has cooled.
CREATE TABLE events (
    company        uuid        NOT NULL,
    id             uuid        NOT NULL,
    batch          bigint      NOT NULL,
    index          integer     NOT NULL,
    sensor         uuid        NOT NULL,
    received_at    timestamptz NOT NULL,
    sequence       bigint,
    kind           smallint    NOT NULL,
    category       smallint,
    severity       smallint,
    origin         smallint    NOT NULL,
    key            uuid,
    verify_key     uuid,
    content_digest bytea       NOT NULL,
    code           text COLLATE "C",
    event_id       text COLLATE "C",
    message        text COLLATE "C",
    data           jsonb       NOT NULL,
    PRIMARY KEY (company, id)
) PARTITION BY RANGE (id);
CREATE INDEX events_sensor ON events (company, sensor, id);
CREATE INDEX events_code ON events (company, code, id);
-- Rows lie in the order of their batches: a block range index finds a batch again and costs the writer next to nothing.
CREATE INDEX events_batch ON events USING brin (batch) WITH (pages_per_range = 16, autosummarize = on);

-- The smallest id of a moment: its milliseconds in front, zeros behind (RFC 9562, section 5.7).
CREATE FUNCTION first_id(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT encode(substr(int8send((extract(epoch FROM moment) * 1000)::bigint), 3) || decode(repeat('00', 10), 'hex'), 'hex')::uuid
$$;

-- Make what is missing of one range of the partitions of events (a day each) or payloads (an hour each).
-- CREATE LIKE and ATTACH, not PARTITION OF: that would wait for every reader and hold up every writer meanwhile.
CREATE FUNCTION ensure_event_days(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    day  date;
    name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(1162300496, 2);
    FOR day IN SELECT generate_series(first_day, last_day, interval '1 day') LOOP
        name := 'events_' || to_char(day, 'YYYYMMDD');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING ALL)', name);
            EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                           first_id(day::timestamp AT TIME ZONE 'UTC'), first_id((day + 1)::timestamp AT TIME ZONE 'UTC'));
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION ensure_payload_hours(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    hour timestamptz;
    name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(1162300496, 2);
    FOR hour IN SELECT generate_series(date_trunc('hour', first, 'UTC'), date_trunc('hour', last, 'UTC'), interval '1 hour') LOOP
        name := 'journal_payloads_' || to_char(hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE journal_payloads INCLUDING ALL)', name);
            EXECUTE format('ALTER TABLE journal_payloads ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           name, hour, hour + interval '1 hour');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
SELECT ensure_event_days(current_date - 31, current_date + 2), ensure_payload_hours(now(), now() + interval '6 hours');

-- The end of every append, in the transaction that copied the events. The lock makes position order commit order;
-- each statement here takes a new snapshot, so the row read is the last one committed.
-- The caller hears of the place by INFO '<position> <digest>', for a COPY and this CALL are one message with one answer.
CREATE PROCEDURE journal_append(new_batch bigint, new_events integer, new_bytes integer, contents bytea, first uuid, last uuid, body bytea)
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
    RAISE INFO '% %', new_position, encode(new_digest, 'hex');
END $$;

-- One row for each reader of the journal: who owns it, how far it has read, and what became of the events on the way.
-- Every update says WHERE epoch = mine, so an owner that lost its lease cannot move the cursor any more.
-- The generation goes up by one each time an operator moves the cursor.
CREATE TABLE cursors (
    reader      text COLLATE "C" PRIMARY KEY,
    epoch       bigint      NOT NULL DEFAULT 0,
    owner       text COLLATE "C",
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    generation  bigint      NOT NULL DEFAULT 0,
    position    bigint      NOT NULL DEFAULT 0,
    index       integer     NOT NULL DEFAULT 0,
    delivered   bigint      NOT NULL DEFAULT 0,
    filtered    bigint      NOT NULL DEFAULT 0,
    dead        bigint      NOT NULL DEFAULT 0,
    expired     bigint      NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- Events of a verified write that were not accepted, with the reason.
CREATE TABLE rejects (
    id          uuid        NOT NULL PRIMARY KEY,  -- UUIDv7 of the moment of rejection
    company     uuid        NOT NULL,
    key         uuid        NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    index       integer     NOT NULL,              -- the event's place in its write
    code        text COLLATE "C" NOT NULL,         -- of the first of its problems
    problems    jsonb       NOT NULL,              -- [{pointer, code, detail}]
    body        bytea       NOT NULL               -- the event as sent, at most its first 4 KiB
);
CREATE INDEX rejects_company ON rejects (company, id);
