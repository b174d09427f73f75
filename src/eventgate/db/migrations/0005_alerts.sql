-- Counts of past days: how many events there are of each combination of company, kind, sensor, code, category and
-- severity; several rows of one combination add up. The columns are called as those of events, and id is the first id
-- of the day, so that one condition fits both tables.
CREATE TABLE event_counts (
    company   uuid     NOT NULL,
    id        uuid     NOT NULL,
    kind      smallint NOT NULL,
    sensor    uuid     NOT NULL,
    code      text COLLATE "C",
    category  smallint,
    severity  smallint,
    events    bigint   NOT NULL
);
CREATE INDEX event_counts_day ON event_counts (company, id);

-- Which days are counted, as ranges of ids.
CREATE TABLE counted_days (
    low   uuid PRIMARY KEY,
    high  uuid NOT NULL
);

-- The position of the journal up to which those days are counted. What a later batch holds of them came late.
CREATE TABLE counted_until (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position  bigint NOT NULL DEFAULT 0
);
INSERT INTO counted_until DEFAULT VALUES;
