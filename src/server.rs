//! Sockets, certificates, readiness and shutdown.
