-- The version that a key is pinned to is part of what every process keeps in memory: tell them when it changes.
CREATE OR REPLACE TRIGGER api_keys_changed
    AFTER INSERT OR DELETE
       OR UPDATE OF hash, scopes, edge, registers_edges, whitelisted_ips, rate_limit, expires_at, deleted_at, api_version
    ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
