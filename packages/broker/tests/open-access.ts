import { ReasonCode } from "../src/packet/reason-codes.ts"
import type { Access } from "../src/ports/access.ts"

/** Lets everybody do everything. For tests and for brokers that only this machine reaches. */
export const openAccess: Access = {
  authenticate(attempt, decide) {
    const { certificateIdentity: certificate, certificateProblem: problem } = attempt.peer
    if (certificate !== undefined) decide({ identity: { user: certificate, source: "certificate" } })
    else if (problem !== undefined) decide({ reasonCode: ReasonCode.NotAuthorized, why: problem })
    else decide({ identity: { user: "", source: "anonymous" } })
  },
  publishRefusal: () => undefined,
  subscribeRefusal: () => undefined,
  deliveryRule: () => undefined,
}
