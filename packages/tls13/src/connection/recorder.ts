// What an adapter is given when its connections are to be recorded: types only, so that who records nothing carries nothing of it.

import type { ClientConnection } from "./client-connection.ts"
import type { ClientConfig, ServerConfig } from "./config.ts"
import type { ServerConnection } from "./server-connection.ts"

/** Makes connections that write down what comes to them from outside. `./recording` has one; a call makes one connection. */
export interface ConnectionRecorder {
  /** @param now milliseconds since 1970-01-01T00:00:00Z */
  client(config: ClientConfig, now: number): ClientConnection
  /** @param now milliseconds since 1970-01-01T00:00:00Z */
  server(config: ServerConfig, now: number): ServerConnection
}
