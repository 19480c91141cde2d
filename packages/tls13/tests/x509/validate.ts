// One call to validatePath, with what most tests of it have in common.

import { Oid, type PathRequest, type PathVerdict, TrustStore, trustAnchor, validatePath } from "../../src/x509/index.ts"
import { type Issued, makeRoot, now, provider } from "./pki.ts"

export const day = 86_400_000
export const root: Issued = makeRoot()

export function validate(leaf: Issued, others: readonly Issued[] = [], more: Partial<PathRequest> = {}): PathVerdict {
  return validatePath({
    leaf: leaf.certificate,
    intermediates: others.map((each) => each.certificate),
    trust: new TrustStore([trustAnchor(root.der)]),
    now,
    provider,
    usage: Oid.serverAuth,
    ...more,
  })
}

export function reason(verdict: PathVerdict): string {
  return verdict.accepted ? "accepted" : verdict.problem.reason
}

export function trusting(...anchors: readonly Issued[]): Partial<PathRequest> {
  return { trust: new TrustStore(anchors.map((each) => trustAnchor(each.der))) }
}
