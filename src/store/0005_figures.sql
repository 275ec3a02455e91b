-- What days add up to (store/figures.rs) is read from indexes alone.

-- How readings spread in a stretch of time.
CREATE INDEX screening_by_estimate ON screening (last_wall_ms, estimate_c)
    WHERE estimate_c IS NOT NULL;

-- How long the alerts of a stretch waited.
CREATE INDEX alert_by_time ON alert (raised_wall_ms);
