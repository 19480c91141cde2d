// What every client carries, before it has a provider or any feature.

import { ClientConnection } from "@puremq/tls13"
import { createLeanClientConfig } from "@puremq/tls13/lean"

export const connect = (options, now) => new ClientConnection(createLeanClientConfig(options, {}), now)
