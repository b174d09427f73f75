-- Sinks that change while everything runs, and what is watched of them.

-- Every key of a sink's definition as people may see it: secrets by a slow salted hash.
ALTER TABLE sinks ADD COLUMN definition jsonb;

-- The ledger of each sink at the end of each minute, for as long as anybody looks back: a day or two.
CREATE TABLE sink_minutes (
    sink        text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    minute      timestamptz NOT NULL,
    generation  bigint  NOT NULL,
    ledger      jsonb   NOT NULL,    -- as the interface shows it
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
