// What every server carries, before it has a provider.

import { createServerConfig, ServerConnection } from "@puremq/tls13"

export const accept = (options, now) => new ServerConnection(createServerConfig(options), now)
