// Names of the stack that the page uses, under one roof.

export type { StateName } from "@puremq/tls13/explore"
export type { SecretName } from "@puremq/tls13/trace"
