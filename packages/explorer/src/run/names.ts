// Names of the stack that the page uses, under one roof.

import type { TraceEvent } from "@puremq/tls13"

export type { StateName } from "@puremq/tls13/explore"
export type SecretName = Extract<TraceEvent, { type: "secret" }>["name"]
