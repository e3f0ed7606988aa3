"""The local stack: PostgreSQL, Temporal, the sandbox and a worker on this machine; used by the command line and tests only."""
