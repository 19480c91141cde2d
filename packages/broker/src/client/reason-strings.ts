// Reason Strings (MQTT 5.0 section 3.9.2.1.2 and its kin): what a Reason Code means here, for whoever debugs a client. They are
// ours alone: nothing of a client's is in them.

import { ReasonCode } from "../packet/reason-codes.ts"
import type { Limits } from "../session/limits.ts"

/** Of what would have to be kept and cannot be. */
export const storeFails = "the broker's store cannot keep anything at the moment"

/** Of what would have to be told to the other brokers of a cluster. */
export const clusterFails = "the broker cannot reach its cluster at the moment"

/** Of an answer to PUBLISH. */
export function publishReason(code: number, topic: string): string | undefined {
  switch (code) {
    case ReasonCode.NotAuthorized:
      // No rule lets anybody publish to the broker's own topics (section 4.7.2).
      if (topic.startsWith("$")) return undefined
      return "the access rules do not let this client publish to this topic"
    case ReasonCode.QuotaExceeded:
      return "the broker has no room for the message, or its publisher has had his share"
    default:
      return undefined
  }
}

/** Of a message, or a will, with more than `maximumPayloadSize`. */
export function payloadTooLarge({ maximumPayloadSize }: Limits): string {
  return `its payload is above this broker's maximum of ${maximumPayloadSize} bytes`
}

/** At QoS 1 and 2, or retained. */
export function tooLargeToKeep(largest: number): string {
  return `it is above the ${largest} bytes of a message that this broker's store has room for`
}

export const tooManyCopiesToKeep =
  "with a copy for each session it comes to, it is more than this broker's store has room for"

/** Section 3.3.2.3.2. */
export const payloadIsNoText = "its Payload Format Indicator says UTF-8, and its payload is not"

/** Of an answer to SUBSCRIBE, with its codes. */
export function subscribeReason(codes: readonly number[], limits: Limits): string | undefined {
  const reasons: string[] = []
  if (codes.includes(ReasonCode.NotAuthorized)) reasons.push("the access rules do not allow each of the filters")
  if (codes.includes(ReasonCode.QuotaExceeded)) reasons.push("the broker has no room for each of the subscriptions")
  if (codes.includes(ReasonCode.TopicFilterInvalid)) {
    reasons.push(`a filter has more than ${limits.maximumTopicLevels} levels`)
  }
  return reasons.length === 0 ? undefined : reasons.join("; ")
}
