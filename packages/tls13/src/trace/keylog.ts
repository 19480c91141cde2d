// RFC 9850: the SSLKEYLOGFILE format, one line a secret. Its section 1.1: "MUST NOT be used in a production system";
// whoever reads the lines reads the connection.
// Only what section 2.1 has a label for is logged: no line lets its reader resume a session or compute a later Main Secret.

import { toHex } from "../bytes/hex.ts"
import type { SecretName, TraceEvent } from "./events.ts"

/** RFC 9850 section 2.1. */
const labels: Readonly<Partial<Record<SecretName, string>>> = {
  client_early_traffic_secret: "CLIENT_EARLY_TRAFFIC_SECRET",
  early_exporter_secret: "EARLY_EXPORTER_SECRET",
  client_handshake_traffic_secret: "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
  server_handshake_traffic_secret: "SERVER_HANDSHAKE_TRAFFIC_SECRET",
  client_application_traffic_secret: "CLIENT_TRAFFIC_SECRET_",
  server_application_traffic_secret: "SERVER_TRAFFIC_SECRET_",
  exporter_secret: "EXPORTER_SECRET",
}

/**
 * The key log line of an event, without its line end: label, ClientHello.random and secret, the two in hexadecimal.
 * Undefined when the event is not of a secret that the format knows.
 * The RFC's labels of application secrets end in _0; after a KeyUpdate they go on with _1, _2, as NSS writes them. A tool
 * that does not know them ignores the line and derives them itself.
 */
export function keyLogLine(event: TraceEvent): string | undefined {
  if (event.type !== "secret") return undefined
  const label = labels[event.name]
  // A connection that was handed over does not know it any more.
  if (label === undefined || event.clientRandom.length === 0) return undefined
  const generation = label.endsWith("_") ? event.generation : ""
  return `${label}${generation} ${toHex(event.clientRandom)} ${toHex(event.secret)}`
}
