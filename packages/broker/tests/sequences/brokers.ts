// The brokers of the table, by their names: README.md of test-vectors/mqtt says the same in words.

import { allFeatures, type Features } from "../../src/session/features.ts"
import type { Limits } from "../../src/session/limits.ts"

/** Options that the core and `createBroker` have alike. */
export interface TableBroker {
  readonly limits: Partial<Limits>
  readonly features?: Partial<Features>
  readonly checksPayloadFormat?: boolean
  /** Response Information; "%c" is the Client Identifier. */
  readonly responseInformation?: string
  /** It has the Authentication Method of three-steps.ts. */
  readonly threeSteps?: boolean
  /** The server that clients are to use. */
  readonly elsewhere?: string
}

const limits: Partial<Limits> = {
  maximumPacketSize: 100_000,
  maximumConnectSize: 90_000,
  receiveMaximum: 10,
  topicAliasMaximum: 5,
  outboundTopicAliases: 32,
  maximumClientIdLength: 256,
  maximumTopicLevels: 32,
  maximumFiltersPerPacket: 1000,
  maximumSessionExpiryInterval: 604_800,
  connectTimeout: 10_000,
  maximumKeepAlive: 0,
}

function without(features: Partial<Features>): TableBroker {
  return { limits, features: { ...allFeatures, ...features } }
}

export const brokers: Readonly<Record<string, TableBroker>> = {
  plain: { limits },
  large: { limits: { ...limits, maximumPacketSize: 4_194_304 } },
  "keep alive 60": { limits: { ...limits, maximumKeepAlive: 60 } },
  "response information": { limits, responseInformation: "answers/%c" },
  "three steps": { limits, threeSteps: true },
  "another server": { limits, elsewhere: "b.example:8883" },
  "text checked": { limits, checksPayloadFormat: true },
  "QoS 0": without({ maximumQos: 0 }),
  "QoS 1": without({ maximumQos: 1 }),
  "nothing retained": without({ retainAvailable: false }),
  "no wildcards": without({ wildcardSubscriptionAvailable: false }),
  "no sharing": without({ sharedSubscriptionAvailable: false }),
  "no identifiers": without({ subscriptionIdentifierAvailable: false }),
}
