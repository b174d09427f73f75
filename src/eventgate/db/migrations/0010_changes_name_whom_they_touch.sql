-- A change of who may do what names whom it touches, as "key <id>", "user <id>", "company <id>" or "session <id>": every
-- process forgets these and keeps the rest, so that one change under load sends no other request to the database.

CREATE OR REPLACE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    PERFORM pg_notify('eventgate_access', TG_ARGV[0] || ' ' || (changed ->> TG_ARGV[1]));
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER companies_changed AFTER UPDATE OR DELETE ON companies
    FOR EACH ROW EXECUTE FUNCTION access_changed('company', 'id');
CREATE OR REPLACE TRIGGER users_changed
    AFTER DELETE OR UPDATE OF login, email, role, deactivated_at, deleted_at ON users
    FOR EACH ROW EXECUTE FUNCTION access_changed('user', 'id');
-- A new key changes nothing that anybody remembers.
CREATE OR REPLACE TRIGGER api_keys_changed
    AFTER DELETE
       OR UPDATE OF hash, scopes, edge, registers_edges, whitelisted_ips, rate_limit, expires_at, deleted_at, api_version
    ON api_keys
    FOR EACH ROW EXECUTE FUNCTION access_changed('key', 'id');
CREATE OR REPLACE TRIGGER verify_keys_changed AFTER INSERT OR UPDATE OR DELETE ON verify_keys
    FOR EACH ROW EXECUTE FUNCTION access_changed('key', 'key');

-- Very many at once are told as one: whoever hears it forgets everything.
CREATE OR REPLACE FUNCTION sessions_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM ended) > 100 THEN
        PERFORM pg_notify('eventgate_access', '');
    ELSE
        PERFORM pg_notify('eventgate_access', 'session ' || id) FROM ended;
    END IF;
    RETURN NULL;
END $$;
