-- The registry of sensors ("edges" on the wire). The id of a sensor may be a UUID of any version.

CREATE TABLE sensors (
    company        uuid NOT NULL REFERENCES companies (id),
    id             uuid NOT NULL,
    serial         text COLLATE "C" NOT NULL CHECK (char_length(serial) BETWEEN 1 AND 128),
    name           text COLLATE "C" CHECK (char_length(name) BETWEEN 1 AND 200),
    state          text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deactivated')),
    registered_at  timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    last_seen_at   timestamptz,
    PRIMARY KEY (company, id),
    UNIQUE (company, serial)
);

-- Every process keeps the registry in memory; a change tells them all whose to read again.
-- When a sensor was last seen is no such change.
CREATE FUNCTION sensors_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('eventgate_sensors', coalesce(NEW.company, OLD.company)::text);
    RETURN NULL;
END $$;

CREATE TRIGGER sensors_changed AFTER INSERT OR DELETE OR UPDATE OF id, serial, name, state ON sensors
    FOR EACH ROW EXECUTE FUNCTION sensors_changed();
