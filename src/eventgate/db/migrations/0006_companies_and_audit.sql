-- Companies can be bounded and retired; every change of anything leaves a line in the audit log.

ALTER TABLE companies
    ADD COLUMN rate_limit  integer CHECK (rate_limit > 0),  -- requests a second, all its credentials together
    ADD COLUMN updated_at  timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN retired_at  timestamptz;                     -- from then on nobody of it is let in

-- A line is written in the transaction of the change it tells of, and never changed. ``before`` and ``after`` are the
-- object as the API shows it: secrets are in neither.
CREATE TABLE audit (
    id           uuid PRIMARY KEY,                -- UUIDv7 of the moment
    company      uuid NOT NULL,                   -- whose object it is
    action       text COLLATE "C" NOT NULL,       -- key.create, user.update, sink.rewind
    object_id    text COLLATE "C" NOT NULL,
    actor        text COLLATE "C" NOT NULL,       -- who, in words: a login, a token's subject, the command line
    actor_company uuid NOT NULL,                  -- the actor's own
    user_id      uuid,
    key          uuid,
    session      uuid,
    remote       text COLLATE "C" NOT NULL,       -- from where
    request_id   text COLLATE "C" NOT NULL,
    before       jsonb,
    after        jsonb
);
CREATE INDEX audit_company ON audit (company, id);
